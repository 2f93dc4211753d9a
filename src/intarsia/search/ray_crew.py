"""Evaluations on a Ray cluster: one actor for each of its CPUs, jobs handed out one by one.

Ray is an optional extra and is imported here only, when a cluster is asked for.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from intarsia.ground import InputError
from intarsia.ground.processes import cores
from intarsia.ground.store import sources
from intarsia.search.evaluate import Desk, Job
from intarsia.search.known import Known
from intarsia.search.question import Question

LOCAL = "local"
"""The address of a cluster of this machine, started for the search and ended with it."""
ADDRESS = re.compile(r"local|auto|(ray://)?(\[[0-9a-fA-F:]+\]|[\w.-]+):[0-9]{1,5}")
ALLOWED = "local, auto, HOST:PORT, ray://HOST:PORT"
REACHED = 10.0
"""Seconds in which a cluster's address must answer."""
OBJECTS = 1 << 27
"""Bytes of a local cluster's object store: questions, jobs and answers are small."""
PATIENCE = 300.0
"""Seconds that the first actor may take to start, where other work may fill the cluster."""


class Actor:
    """What runs on a CPU of the cluster."""

    def __init__(self, question: Question) -> None:
        self._desk = Desk(question)

    def sources(self) -> str:
        """The digest of the package that it runs."""
        return sources()

    def answer(self, job: Job) -> tuple[Known, ...]:
        """What is known of a chip."""
        return self._desk.answer(job)


class RayCrew:
    """Actors of a cluster. The job of one that is lost is done by another."""

    def __init__(self, ray: ModuleType, address: str, actors: list[Any]) -> None:
        self._ray, self._address, self.actors = ray, address, actors
        of = ray.exceptions
        self._losses = of.RayActorError, of.WorkerCrashedError, of.ObjectLostError
        self._starting = {actor.sources.remote(): actor for actor in actors}
        self._idle: list[Any] = []
        self._because = ""

    def answers(self, jobs: Iterator[Job]) -> Iterator[tuple[Job, tuple[Known, ...]]]:
        """As they come.

        Raises:
            InputError: no actor starts or none is left, or one runs another version of the package.
        """
        running: dict[Any, tuple[Any, Job]] = {}
        again: list[Job] = []
        while True:
            while self._idle and (job := again.pop() if again else next(jobs, None)) is not None:
                actor = self._idle.pop()
                running[actor.answer.remote(job)] = actor, job
            if self._idle and not running:
                return
            if not (running or self._starting):
                if not again and next(jobs, None) is None:
                    return
                raise InputError(
                    "no worker of the cluster is left", where="--ray", value=self._address, hint=self._because
                )
            for ref in self._done([*running, *self._starting], None if running else PATIENCE):
                if ref in self._starting:
                    self._begin(ref)
                    continue
                actor, job = running.pop(ref)
                try:
                    known = self._ray.get(ref)
                except self._losses as error:
                    again.append(job)
                    self._lost(error)
                else:
                    self._idle.append(actor)
                    yield job, known

    def _done(self, refs: list[Any], patience: float | None) -> list[Any]:
        """Those that are there, one at least."""
        done, _ = self._ray.wait(refs, num_returns=1, timeout=patience)
        if not done:
            hint = "less other work on it, or fewer --workers"
            raise InputError(
                f"no worker has started in {patience:.0f} s", where="--ray", value=self._address, hint=hint
            )
        return list(done)

    def _begin(self, ref: Any) -> None:
        """An actor has started, or could not."""
        actor = self._starting.pop(ref)
        try:
            theirs = self._ray.get(ref)
        except self._losses as error:
            self._lost(error)
            return
        if theirs != sources():
            raise InputError(
                "a worker of the cluster runs another version of intarsia",
                where="--ray",
                value=self._address,
                hint="install the same one on every node",
            )
        self._idle.append(actor)

    def _lost(self, error: Exception) -> None:
        self._because = " ".join(str(error).split())
        logging.getLogger(__name__).warning("a worker of the cluster was lost: %s", self._because)


@contextmanager
def ray_crew(question: Question, address: str, count: int = 0) -> Iterator[RayCrew]:
    """Actors of a cluster, which end with the block.

    Args:
        question: the search's.
        address: ``local``, ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``.
        count: so many; one for each CPU of the cluster if 0.

    Raises:
        InputError: Ray is not installed, the address is none, there is no such cluster, or it has too few CPUs.
    """
    ray = _connected(address, count)
    try:
        cpus = int(ray.cluster_resources().get("CPU", 0))
        if not 0 < (count or cpus) <= cpus:
            raise InputError(
                "the cluster does not have so many CPUs",
                where="--workers",
                value=str(count or 1),
                allowed=f"1 to {cpus}" if cpus else "",
            )
        asked = ray.put(question)
        # An actor lives and dies with its process; the search does without it.
        remote = ray.remote(num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD")(Actor)
        actors = [remote.remote(asked) for _ in range(count or cpus)]
        try:
            yield RayCrew(ray, address, actors)
        finally:
            for actor in actors:
                ray.kill(actor)
    finally:
        ray.shutdown()


def _connected(address: str, count: int) -> ModuleType:
    """Ray, connected to the cluster."""
    if not ADDRESS.fullmatch(address):
        raise InputError("this is no address of a Ray cluster", where="--ray", value=address, allowed=ALLOWED)
    # A cluster that is started here tells nobody that it was, and warns of no accelerator that nobody wants.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise InputError("Ray is not installed", where="--ray", hint="pip install 'intarsia[ray]'") from error
    asked: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address == LOCAL:
        asked |= {"num_cpus": count or cores(), "include_dashboard": False, "object_store_memory": OBJECTS}
    try:
        _reach(address)
        ray.init(address, **asked)
    except (OSError, OverflowError) as error:  # nobody there, or a port that there cannot be
        reason = " ".join(str(error).split())
        raise InputError(
            f"there is no such Ray cluster ({reason})", where="--ray", value=address, hint="ray status, or --ray local"
        ) from error
    connected: ModuleType = ray
    return connected


def _reach(address: str) -> None:
    """Says nothing where somebody answers at the address: Ray itself would wait for one without end.

    Raises:
        OSError: nobody does.
        OverflowError: no port has this number.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        socket.create_connection((host.strip("[]"), int(port)), REACHED).close()
