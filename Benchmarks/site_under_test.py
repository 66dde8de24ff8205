"""A backup site for benchmarks: director, file daemon, storage daemon and console over one directory.

`Site("bacula", …)` runs Debian's real programs, `Site("ours", …)` and `Site("ours-plain", …)` this one, from the same
configuration texts. Ours runs under TLS by default; `ours-plain` says `TLS Enable = no`, as Bacula does here.
"""
import os, shutil, signal, socket, sqlite3, subprocess, time

TICK = os.sysconf("SC_CLK_TCK")
ROLES = ("sd", "fd", "dir")

DIRECTOR = """
Director {{ Name = bench-dir; DirPort = {dir}; DirAddress = 127.0.0.1; QueryFile = "{work}/query.sql"
  WorkingDirectory = "{work}/dir"; PidDirectory = "{work}/run"; Maximum Concurrent Jobs = 4; Password = "console-secret"
  Messages = Standard; {tls} }}
Catalog {{ Name = Bench; dbname = "bacula"; dbuser = ""; dbpassword = "" }}
Messages {{ Name = Standard; append = "{work}/jobs.log" = all, !skipped }}
Client {{ Name = bench-fd; Address = 127.0.0.1; FDPort = {fd}; Catalog = Bench; Password = "fd-secret"; AutoPrune = no; {tls} }}
Storage {{ Name = Disk; Address = 127.0.0.1; SDPort = {sd}; Password = "sd-secret"; Device = Disk; Media Type = File; {tls} }}
Pool {{ Name = Default; Pool Type = Backup; Label Format = "Vol-"; AutoPrune = no }}
FileSet {{ Name = Tree
  Include {{
    Options {{ signature = MD5
      aclsupport = yes
      xattrsupport = yes
      {options} }}
    File = "{tree}" }} }}
Job {{ Name = Backup; Type = Backup; Level = Full; Client = bench-fd; FileSet = Tree; Storage = Disk; Pool = Default
  Messages = Standard; Run After Job = "/usr/bin/touch {work}/done"; {job} }}
Job {{ Name = Restore; Type = Restore; Client = bench-fd; FileSet = Tree; Storage = Disk; Pool = Default
  Messages = Standard; Where = "{work}/restored"; Run After Job = "/usr/bin/touch {work}/done" }}
"""
FILE_DAEMON = """
FileDaemon {{ Name = bench-fd; FDPort = {fd}; FDAddress = 127.0.0.1; WorkingDirectory = "{work}/fd"
  PidDirectory = "{work}/run"; {tls} }}
Director {{ Name = bench-dir; Password = "fd-secret"; {tls} }}
Messages {{ Name = Standard; director = bench-dir = all, !skipped, !restored }}
"""
STORAGE_DAEMON = """
Storage {{ Name = bench-sd; SDPort = {sd}; SDAddress = 127.0.0.1; WorkingDirectory = "{work}/sd"
  PidDirectory = "{work}/run"; {tls} }}
Director {{ Name = bench-dir; Password = "sd-secret"; {tls} }}
Device {{ Name = Disk; Media Type = File; Device Type = File; Archive Device = "{work}/volumes"; LabelMedia = yes
  Random Access = yes; AutomaticMount = yes; RemovableMedia = no; AlwaysOpen = no }}
Messages {{ Name = Standard; director = bench-dir = all }}
"""
CONSOLE = """
Director {{ Name = bench-dir; DirPort = {dir}; Address = 127.0.0.1; Password = "console-secret"; {tls} }}
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_bytes(pid):
    return next(int(l.split()[1]) for l in open(f"/proc/{pid}/status") if l.startswith("VmHWM")) * 1024


class Site:
    def __init__(self, kind, work, tree, appliance, options="", job=""):
        self.kind, self.work, self.appliance = kind, work, appliance
        shutil.rmtree(work, ignore_errors=True)
        for d in ("dir", "fd", "sd", "run", "volumes", "restored", "etc"):
            os.makedirs(f"{work}/{d}")
        open(f"{work}/query.sql", "w").close()
        ports = dict(zip(ROLES, free_ports(3)))
        values = dict(ports, work=work, tree=tree, options=options, job=job,
                      tls="TLS Enable = no" if kind == "ours-plain" else "")
        for name, text in (("dir", DIRECTOR), ("fd", FILE_DAEMON), ("sd", STORAGE_DAEMON), ("con", CONSOLE)):
            with open(os.open(f"{work}/etc/{name}.conf", os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
                f.write(text.format(**values))
        if kind == "bacula":
            self.make_tables()
        self.processes = {}
        for role in ROLES:
            if kind == "bacula":
                command = [f"/usr/sbin/bacula-{role}", "-f", "-c", f"{work}/etc/{role}.conf"]
            else:
                name = {"dir": "director"}.get(role, role)
                command = [appliance, "--role", name, "--foreground", "--config", f"{work}/etc/{role}.conf"]
            with open(f"{work}/{role}.log", "w") as log:
                self.processes[role] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for role, port in ports.items():
            self.wait_for(port, role)

    def make_tables(self):
        script = open("/usr/share/bacula-director/make_sqlite3_tables").read()
        lines = [f"cd '{self.work}/dir'" if l.startswith("cd ") else l for l in script.splitlines()]
        with open(f"{self.work}/etc/tables.sh", "w") as f:
            f.write("\n".join(lines).replace("XXX_DBNAME_XXX", "bacula") + "\n")
        subprocess.run(["sh", f"{self.work}/etc/tables.sh"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait_for(self, port, role):
        """Looks at the kernel's socket table, so that no daemon sees a stray connection."""
        needle = f":{port:04X} 00000000:0000 0A"
        for _ in range(400):
            if needle in open("/proc/net/tcp").read():
                return
            time.sleep(0.05)
        raise SystemExit(f"{self.kind} {role}: nothing listens on port {port}; see {self.work}/{role}.log")

    def console(self, *commands):
        configuration = f"{self.work}/etc/con.conf"
        if self.kind == "bacula":
            return subprocess.run(["bconsole", "-n", "-c", configuration], text=True, capture_output=True,
                                  input="\n".join(commands) + "\nquit\n").stdout
        words = [x for c in commands for x in ("-c", c)]
        return subprocess.run([self.appliance, "console", "--config", configuration, *words], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL).stdout

    def phase(self, command, limit=3600):
        """Runs one job. The wall time ends with the job's own RunAfterJob script, not with a console's waiting."""
        done = f"{self.work}/done"
        if os.path.exists(done):
            os.unlink(done)
        before = {r: cpu_seconds(p.pid) for r, p in self.processes.items()}
        started = time.time()
        output = self.console(command)
        while not os.path.exists(done):
            time.sleep(0.02)
            if time.time() - started > limit or any(p.poll() is not None for p in self.processes.values()):
                raise SystemExit(f"{self.kind}: the job did not end well; see {self.work}\n{output}")
        wall = os.stat(done).st_mtime - started
        self.console("wait")
        cpu = {r: cpu_seconds(p.pid) - before[r] for r, p in self.processes.items()}
        return {"wall": wall, "cpu": sum(cpu.values()), "cpu_by_daemon": cpu}

    def catalog(self):
        """(bytes, file rows) of a vacuumed copy, so that free pages of neither program count."""
        source = next(os.path.join(f"{self.work}/dir", n) for n in os.listdir(f"{self.work}/dir") if n.endswith(".db"))
        copy = f"{self.work}/catalog-copy"
        live = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
        live.execute("VACUUM INTO ?", (copy,))
        live.close()
        database = sqlite3.connect(copy)
        rows = database.execute("select sum(JobFiles) from Job where Type='B'").fetchone()[0]
        database.close()
        size = os.path.getsize(copy)
        os.unlink(copy)
        return size, rows

    def peaks(self):
        return {r: peak_bytes(p.pid) for r, p in self.processes.items() if p.poll() is None}

    def close(self):
        for p in self.processes.values():
            p.send_signal(signal.SIGTERM)
        for p in self.processes.values():
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        shutil.rmtree(self.work, ignore_errors=True)
