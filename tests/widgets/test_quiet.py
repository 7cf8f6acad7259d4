from widgets.quiet import Quiet


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_it_counts_since_the_last_key() -> None:
    clock = Clock()
    quiet = Quiet(clock, 0.1)
    for _ in range(3):
        clock.now += 0.1
        quiet.tick()
    assert round(quiet.key(), 3) == 0.3
    clock.now += 0.1
    quiet.tick()
    assert round(quiet.seconds, 3) == 0.1


def test_a_stall_counts_for_two_ticks_and_no_more() -> None:
    clock = Clock()
    quiet = Quiet(clock, 0.1)
    clock.now += 3600
    quiet.tick()
    assert round(quiet.seconds, 3) == 0.2
