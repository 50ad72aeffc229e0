"""How the words of the world are pronounced, and how a text is cut into words and pauses."""

import difflib
import re
from types import MappingProxyType

__all__ = ["LEXICON", "UnknownWordError", "tokens"]


class UnknownWordError(ValueError):
    """A text has a word that LEXICON cannot pronounce; the message names it and its place."""


_ENTRIES = """
a AH0 | an AE0 N | the DH AH0 | and AE0 N D | or AO0 R | but B AH0 T | not N AA1 T | of AH0 V | to T UW0
in IH0 N | on AA0 N | at AE0 T | from F R AH0 M | with W IH0 DH | without W IH0 DH AW1 T | is IH0 Z
are AA0 R | do D UW1 | does D AH1 Z | have HH AE1 V | has HH AE1 Z | can K AE1 N | be B IY0 | i AY1
you Y UW0 | we W IY0 | it IH0 T | its IH0 T S | they DH EY1 | this DH IH1 S | that DH AE1 T | these DH IY1 Z
those DH OW1 Z | here HH IH1 R | there DH EH1 R | see S IY1 | seen S IY1 N | show SH OW1 | shows SH OW1 Z
showing SH OW1 IH0 NG | stands S T AE1 N D Z | standing S T AE1 N D IH0 NG | lies L AY1 Z | lying L AY1 IH0 NG
sits S IH1 T S | only OW1 N L IY0 | just JH AH1 S T | also AO1 L S OW0 | same S EY1 M | other AH1 DH ER0
another AH0 N AH1 DH ER0 | more M AO1 R | less L EH1 S | fewer F Y UW1 ER0 | than DH AE0 N | most M OW1 S T
all AO1 L | both B OW1 TH | some S AH1 M | any EH1 N IY0 | each IY1 CH | every EH1 V R IY0 | many M EH1 N IY0
exactly IH0 G Z AE1 K T L IY0 | how HH AW1 | what W AH1 T | which W IH1 CH | where W EH1 R | who HH UW1
yes Y EH1 S | no N OW1 | true T R UW1 | false F AO1 L S | something S AH1 M TH IH0 NG
nothing N AH1 TH IH0 NG | thing TH IH1 NG | things TH IH1 NG Z | zero Z IY1 R OW0 | one W AH1 N | two T UW1
three TH R IY1 | four F AO1 R | five F AY1 V | six S IH1 K S | seven S EH1 V AH0 N | eight EY1 T
nine N AY1 N | ten T EH1 N

next N EH1 K S T | near N IH1 R | nearby N IH2 R B AY1 | close K L OW1 S | beside B IH0 S AY1 D | far F AA1 R
away AH0 W EY1 | left L EH1 F T | right R AY1 T | front F R AH1 N T | behind B IH0 HH AY1 N D | back B AE1 K
side S AY1 D | between B IH0 T W IY1 N | above AH0 B AH1 V | below B IH0 L OW1 | under AH1 N D ER0
over OW1 V ER0 | top T AA1 P | bottom B AA1 T AH0 M | middle M IH1 D AH0 L | centre S EH1 N T ER0
corner K AO1 R N ER0 | together T AH0 G EH1 DH ER0 | alone AH0 L OW1 N

red R EH1 D | orange AO1 R AH0 N JH | yellow Y EH1 L OW0 | green G R IY1 N | cyan S AY1 AE0 N | blue B L UW1
purple P ER1 P AH0 L | white W AY1 T | crimson K R IH1 M Z AH0 N | scarlet S K AA1 R L AH0 T
ruby R UW1 B IY0 | lemon L EH1 M AH0 N | golden G OW1 L D AH0 N | gold G OW1 L D | amber AE1 M B ER0
emerald EH1 M R AH0 L D | lime L AY1 M | turquoise T ER1 K W OY0 Z | teal T IY1 L | aqua AA1 K W AH0
azure AE1 ZH ER0 | navy N EY1 V IY0 | violet V AY1 AH0 L AH0 T | lilac L AY1 L AE0 K | mauve M OW1 V
magenta M AH0 JH EH1 N T AH0 | pink P IH1 NG K | snow S N OW1 | snowy S N OW1 IY0 | ivory AY1 V ER0 IY0
pale P EY1 L | black B L AE1 K | brown B R AW1 N | grey G R EY1 | dark D AA1 R K | light L AY1 T
bright B R AY1 T | colour K AH1 L ER0 | colours K AH1 L ER0 Z | coloured K AH1 L ER0 D

small S M AO1 L | large L AA1 R JH | big B IH1 G | huge HH Y UW1 JH | giant JH AY1 AH0 N T | great G R EY1 T
little L IH1 T AH0 L | tiny T AY1 N IY0 | mini M IH1 N IY0 | massive M AE1 S IH0 V | compact K AH0 M P AE1 K T
size S AY1 Z | sizes S AY1 Z AH0 Z | bigger B IH1 G ER0 | smaller S M AO1 L ER0 | larger L AA1 R JH ER0

matte M AE1 T | shiny SH AY1 N IY0 | glossy G L AO1 S IY0 | polished P AA1 L IH0 SH T | dull D AH1 L
flat F L AE1 T | gleaming G L IY1 M IH0 NG | glazed G L EY1 Z D | smooth S M UW1 DH | rough R AH1 F
mirror M IH1 R ER0 | metallic M AH0 T AE1 L IH0 K | chalky CH AO1 K IY0 | satin S AE1 T AH0 N
material M AH0 T IH1 R IY0 AH0 L | materials M AH0 T IH1 R IY0 AH0 L Z

object AA1 B JH EH0 K T | objects AA1 B JH EH0 K T S | shape SH EY1 P | shapes SH EY1 P S | sphere S F IH1 R
spheres S F IH1 R Z | ball B AO1 L | balls B AO1 L Z | orb AO1 R B | orbs AO1 R B Z | globe G L OW1 B
globes G L OW1 B Z | cube K Y UW1 B | cubes K Y UW1 B Z | box B AA1 K S | boxes B AA1 K S AH0 Z
block B L AA1 K | blocks B L AA1 K S | dice D AY1 S | cone K OW1 N | cones K OW1 N Z | funnel F AH1 N AH0 L
funnels F AH1 N AH0 L Z | cylinder S IH1 L AH0 N D ER0 | cylinders S IH1 L AH0 N D ER0 Z | tube T UW1 B
tubes T UW1 B Z | cans K AE1 N Z | barrel B AE1 R AH0 L | barrels B AE1 R AH0 L Z | drum D R AH1 M
drums D R AH1 M Z | pillar P IH1 L ER0 | pillars P IH1 L ER0 Z | torus T AO1 R AH0 S | tori T AO1 R AY0
toruses T AO1 R AH0 S AH0 Z | ring R IH1 NG | rings R IH1 NG Z | donut D OW1 N AH2 T | donuts D OW1 N AH2 T S
doughnut D OW1 N AH2 T | doughnuts D OW1 N AH2 T S | hoop HH UW1 P | hoops HH UW1 P S | wedge W EH1 JH
wedges W EH1 JH AH0 Z | ramp R AE1 M P | ramps R AE1 M P S | slope S L OW1 P | slopes S L OW1 P S
prism P R IH1 Z AH0 M | prisms P R IH1 Z AH0 M Z | pyramid P IH1 R AH0 M IH0 D
pyramids P IH1 R AH0 M IH0 D Z | toy T OY1

photo F OW1 T OW0 | photos F OW1 T OW0 Z | photograph F OW1 T AH0 G R AE2 F | picture P IH1 K CH ER0
pictures P IH1 K CH ER0 Z | image IH1 M AH0 JH | images IH1 M AH0 JH AH0 Z | drawing D R AO1 IH0 NG
rendering R EH1 N D ER0 IH0 NG | render R EH1 N D ER0 | painting P EY1 N T IH0 NG
snapshot S N AE1 P SH AA2 T | video V IH1 D IY0 OW0 | view V Y UW1 | scene S IY1 N | scenes S IY1 N Z
ground G R AW1 N D | camera K AE1 M R AH0 | sketch S K EH1 CH | texture T EH1 K S CH ER0 | noise N OY1 Z
viewpoint V Y UW1 P OY2 N T | background B AE1 K G R AW2 N D | occlusion AH0 K L UW1 ZH AH0 N
"""

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SAME = {
    "gray": "grey",
    "color": "colour",
    "colors": "colours",
    "colored": "coloured",
    "center": "centre",
    **{str(number): word for number, word in enumerate(_DIGITS)},
}


def _read() -> dict[str, tuple[str, ...]]:
    entries = [entry.split() for line in _ENTRIES.splitlines() for entry in line.split("|") if entry.strip()]
    lexicon = {word: tuple(sounds) for word, *sounds in entries}
    return lexicon | {word: lexicon[same] for word, same in _SAME.items()}


LEXICON = MappingProxyType(_read())
"""Word, in small letters, to its ARPAbet sounds; a vowel's digit is its stress (0 none, 1 first, 2 second).

General American. Source: ARPAbet as in Klatt 1980, "Software for a cascade/parallel formant synthesizer";
checked against the CMU Pronouncing Dictionary 0.7b, which leaves out "torus" and its plurals.
"""

_TOKEN = re.compile(r"[^\s,.;:!?()\"“”…—–-]+|[,.;:!?…—–]")
_PAUSES = frozenset(",.;:!?…—–")


def tokens(text: str) -> list[str]:
    """Cut a text into what is spoken: words in small letters, and marks of punctuation.

    A hyphen joins words that are spoken as two; brackets and quotation marks are silent.

    Args:
        text: any text.

    Returns:
        Words of LEXICON, and marks such as "," that are pauses.

    Raises:
        UnknownWordError: a word without a pronunciation.
    """
    found = _TOKEN.findall(text.lower())
    words = [token for token in found if token not in _PAUSES]
    for place, word in enumerate(words, 1):
        if word not in LEXICON:
            near = difflib.get_close_matches(word, LEXICON, n=1)
            hint = f" (did you mean '{near[0]}'?)" if near else ""
            raise UnknownWordError(
                f"cannot pronounce '{word}' (word {place} of '{text}'){hint}: use another word, or add "
                f"'{word}' with its ARPAbet sounds to LEXICON in mmdl_course/data/world/lexicon.py"
            )
    return found
