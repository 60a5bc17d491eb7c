"""Deaf is who sent itself several rings, over some time, and heard none since the first of them."""

from __future__ import annotations

from gateway.worker.ear import DEAF_AFTER, DEAF_AFTER_S, ECHO_EVERY_S, Ear, ear_queue


def asked(ear, times, start=0.0, every=ECHO_EVERY_S):
    for n in range(times):
        ear.asked(start + n * every)
    return start + (times - 1) * every


def test_who_hears_is_not_deaf_however_long_it_lives():
    ear = Ear()
    for second in range(0, 1000, 5):
        ear.asked(second)
        ear.heard(second + 0.1)
        assert not ear.is_deaf(second + 4)


def test_who_hears_nothing_for_long_enough_is_deaf_whether_it_heard_before_or_not():
    for ear in (Ear(), Ear(heard_at=-1.0)):
        last = asked(ear, 1 + int(DEAF_AFTER_S / ECHO_EVERY_S))
        assert not ear.is_deaf(DEAF_AFTER_S - 1)
        assert ear.is_deaf(last)


def test_a_process_that_was_frozen_is_given_time_to_hear():
    ear = Ear()
    ear.asked(0.0)
    assert not ear.is_deaf(500.0), "one ring is no proof"
    asked(ear, DEAF_AFTER - 2, start=500.0)
    assert not ear.is_deaf(510.0)
    ear.heard(511.0)
    assert not ear.is_deaf(1000.0)


def test_nobody_is_deaf_while_redis_takes_no_rings():
    assert not Ear().is_deaf(10_000.0)


def test_any_ring_counts_and_a_new_silence_is_counted_anew():
    ear = Ear()
    last = asked(ear, 8)
    ear.heard(last + 0.1)
    ear.asked(last + 5)
    assert not ear.is_deaf(last + DEAF_AFTER_S + 4)


def test_redis_forgets_the_queue_of_a_worker_that_is_gone():
    queue = ear_queue("host:1")
    assert queue.expires == 120
    assert queue.exchange.name == queue.name == "ear.host:1"
