"""Solves at the same time leave one another's numeric libraries at one thread, and the process's as they were."""

from __future__ import annotations

from threadpoolctl import ThreadpoolController

from apportion.engines.one_thread import OneThread


def threads() -> set[int]:
    return {library["num_threads"] for library in ThreadpoolController().info() if library["user_api"] == "blas"}


def test_who_leaves_first_gives_nobody_else_threads_back() -> None:
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        one, before = OneThread(), threads()
        assert before == {2}
        for _ in range(2):  # and again, after it was given back
            one.__enter__()
            one.__enter__()
            one.__exit__()
            assert threads() == {1}
            one.__exit__()
            assert threads() == before


def test_a_fault_inside_gives_them_back() -> None:
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        one = OneThread()
        try:
            with one:
                assert threads() == {1}
                raise ValueError
        except ValueError:
            assert threads() == {2}
