import asyncio

import pytest

from mmdl_course.viz.explorers.latest import Latest


@pytest.fixture
def log():
    return []


@pytest.fixture
def latest(log):
    def work(wish):
        try:
            for step in range(wish):
                log.append((wish, step))
                yield step / wish
            log.append((wish, "done"))
        except GeneratorExit:
            log.append((wish, "closed"))
            raise

    return Latest(work)


def test_without_a_loop_every_wish_is_worked_on_at_once(latest, log):
    latest.wish(1)
    latest.wish(2)
    assert log == [(1, 0), (1, "done"), (2, 0), (2, 1), (2, "done")]


def test_of_many_wishes_only_the_last_is_worked_on(latest, log):
    async def drag():
        for wish in (5, 4, 3, 2):
            latest.wish(wish)
        assert log == []  # the kernel is not held up
        await latest.settled()

    asyncio.run(drag())
    assert log == [(2, 0), (2, 1), (2, "done")]


def test_a_newer_wish_ends_the_work_for_an_older_one(latest, log):
    async def change_of_mind():
        latest.wish(1000)
        while not log:
            await asyncio.sleep(0)
        latest.wish(1)
        await latest.settled()

    asyncio.run(change_of_mind())
    assert log[0] == (1000, 0)
    assert log[-3:] == [(1000, "closed"), (1, 0), (1, "done")]
    assert len(log) < 1000


def test_cancel_ends_the_work_and_what_waits(latest, log):
    async def cancelled():
        latest.wish(1000)
        while not log:
            await asyncio.sleep(0)
        latest.wish(7)
        latest.cancel()
        await latest.settled()
        latest.wish(1)
        await latest.settled()

    asyncio.run(cancelled())
    assert (1000, "closed") in log
    assert not any(wish == 7 for wish, _ in log)
    assert log[-1] == (1, "done")  # it can be used again
