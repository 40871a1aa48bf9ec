#!/usr/bin/env python3
"""A real Slurm of one node in a temporary folder, and a batch on it: slurm.py VOLDIFF CONFIGS FOLDER.

Skipped with a message where Slurm or munge are not installed or cannot start (they want to be root here).
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from support import Batch, skip, wait_for  # noqa: E402

CONF = """\
ClusterName=voldiff
SlurmctldHost={host}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={port}
SlurmdPort={node_port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2
KillWait=5
JobRequeue=1
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def say(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


class Slurm:
    def __init__(self):
        for program in ("munged", "slurmctld", "slurmd", "sbatch"):
            if shutil.which(program) is None:
                skip(f"{program} is not installed (slurm-wlm, munge)")
        if os.geteuid() != 0:
            skip("Slurm is started as root here")
        self.folder = Path(tempfile.mkdtemp(prefix="voldiff-slurm-"))  # a short path: sockets have short names
        self.folder.chmod(0o755)
        self.processes = []

    def spawn(self, *command):
        log = open(self.folder / (Path(command[0]).name + ".out"), "w")
        self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def start(self):
        host = socket.gethostname().split(".")[0]
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        conf = self.folder / "slurm.conf"
        conf.write_text(CONF.format(host=host, folder=self.folder, port=free_port(), node_port=free_port(),
                                    cores=os.cpu_count(), memory=4000))
        os.environ["SLURM_CONF"] = str(conf)
        self.spawn("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={self.folder}/munge.socket",
                   f"--pid-file={self.folder}/munged.pid", f"--log-file={self.folder}/munged.log",
                   f"--seed-file={self.folder}/munged.seed")
        try:
            wait_for(lambda: (self.folder / "munge.socket").exists(), 20)
            self.spawn("slurmctld", "-D", "-c")
            time.sleep(1)
            self.spawn("slurmd", "-D", "-N", host)
            wait_for(lambda: "idle" in say("sinfo", "-h", "-o", "%t"), 60)
        except AssertionError:
            logs = "\n".join(f"{path.name}:\n{path.read_text(errors='replace')[-1500:]}"
                             for path in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.out")))
            skip(f"Slurm cannot start here\n{logs}")
        print(say("sinfo", "--version"), "with", say("sinfo", "-h", "-o", "%n %c %t"))

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def queue():
    """"" where no task is left; a controller that does not answer in time says nothing about that."""
    done = subprocess.run(["squeue", "-h", "-r", "-o", "%i %t"], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "no answer"


def ended_at_last(task):
    """A task that was requeued waits two minutes, which are cut short."""
    state = queue()
    if "PD" in state:
        subprocess.run(["scontrol", "update", f"JobId={task}", "StartTime=now"], capture_output=True)
    return not state


def submit(batch, tasks):
    return batch.run("--slurm", "--slurm-tasks", tasks, "--slurm-option=--mem=900M",
                     "--slurm-option=--cpus-per-task=1").split("\n")[0].strip()


def whole_batch(batch):
    job = submit(batch, 2)
    assert job.isdigit(), job
    wait_for(lambda: not queue(), 180)
    made = batch.check_complete()
    shards = {event["process"] for event in batch.events("done")}
    assert len(made) == batch.runs and len(shards) == 2, (made, shards, batch.events())
    status = batch.run("--status")
    assert f"made           {batch.runs}" in status, status
    print(f"{batch.runs} runs by an array of 2 tasks")


def preempt(task):
    """Slurm ends the task with SIGTERM and starts it again later."""
    subprocess.run(["scontrol", "requeue", task], check=True)


def end_of_time(task):
    """What Slurm sends some minutes before the time is over: the task requeues itself."""
    subprocess.run(["scancel", "--signal=USR1", "--batch", task], check=True)


def requeued(batch, stop):
    job = submit(batch, 1)
    wait_for(lambda: batch.events("done"), 120)
    stop(f"{job}_0")
    wait_for(lambda: "PD" in queue(), 60)
    time.sleep(3)  # until Slurm has heard of the end of the old task
    early = len(batch.made())
    assert early < batch.runs, "it was stopped before the end"
    wait_for(lambda: batch.events("end") and not list(batch.out.glob(".*")), 30)  # by itself, and cleanly
    wait_for(lambda: ended_at_last(f"{job}_0"), 300)
    assert len(batch.check_complete()) == batch.runs, batch.events()
    print(f"{stop.__name__}: requeued after {early} of {batch.runs} runs, each made once")


def main():
    program, configs, folder = sys.argv[1:]
    os.environ["VOLDIFF_DATA"] = configs
    os.environ["OMP_WAIT_POLICY"] = "passive"
    slurm = Slurm()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        slurm.start()
        whole_batch(Batch(program, Path(folder) / "slurm", runs=6))
        for stop in (preempt, end_of_time):
            requeued(Batch(program, Path(folder) / f"slurm-{stop.__name__}", runs=12), stop)
    finally:
        slurm.stop()


if __name__ == "__main__":
    main()
