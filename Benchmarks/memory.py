#!/usr/bin/env python3
"""Peak memory of the three daemons on what is hardest for memory: a million small files, and one 20 GB sparse file.

  memory.py --appliance PROGRAM [--work DIR] [--files 1000000] [--sparse-gb 20]

Prints the peak resident memory of each daemon after a full backup, an incremental (accurate too) and a restore.
"""
import argparse, os, shutil, subprocess, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from site_under_test import Site


def report(what, site):
    print(f"{what}: peak MiB", {r: round(v / 2**20, 1) for r, v in site.peaks().items()}, flush=True)


def run(site, tree, what, appliance):
    full = site.phase("run job=Backup level=Full yes")
    print(f"{what}: full {full['wall']:.1f} s ({full['cpu']:.1f} CPU s)")
    report(f"{what}, full", site)
    incremental = site.phase("run job=Backup level=Incremental yes")
    print(f"{what}: incremental {incremental['wall']:.1f} s ({incremental['cpu']:.1f} CPU s)")
    report(f"{what}, incremental", site)
    accurate = site.phase("run job=Backup level=Incremental accurate=yes yes")
    print(f"{what}: accurate incremental {accurate['wall']:.1f} s")
    report(f"{what}, accurate", site)
    where = f"{site.work}/restored"
    restore = site.phase(f"restore client=bench-fd where={where} restorejob=Restore fileset=Tree select current all done yes")
    print(f"{what}: restore {restore['wall']:.1f} s ({restore['cpu']:.1f} CPU s)")
    report(f"{what}, restore", site)
    compared = subprocess.run([appliance, "compare", tree, where + tree], capture_output=True, text=True)
    print(f"{what}: {compared.stderr.strip()}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--appliance", required=True)
    p.add_argument("--work", default="/var/tmp/appliance-memory")
    p.add_argument("--files", type=int, default=1_000_000)
    p.add_argument("--sparse-gb", type=int, default=20)
    a = p.parse_args()
    a.appliance = os.path.abspath(a.appliance)
    tree = f"{a.work}/tree"
    for what in ("files", "sparse"):
        shutil.rmtree(a.work, ignore_errors=True)
        os.makedirs(tree)
        if what == "files":
            for i in range(a.files):
                if i % 1000 == 0:
                    os.mkdir(f"{tree}/d{i // 1000}")
                with open(f"{tree}/d{i // 1000}/file-{i}", "w") as f:
                    f.write(f"{i}\n")
        else:
            with open(f"{tree}/sparse", "wb") as f:
                f.truncate(a.sparse_gb << 30)
                for at in range(0, a.sparse_gb << 30, 1 << 30):
                    f.seek(at + 12345)
                    f.write(os.urandom(100_000))
        time.sleep(1.1)
        site = Site("ours", f"{a.work}/site", tree, a.appliance, options="sparse = yes" if what == "sparse" else "")
        try:
            run(site, tree, f"{a.files} small files" if what == "files" else f"one sparse file of {a.sparse_gb} GiB", a.appliance)
        finally:
            site.close()
    shutil.rmtree(a.work, ignore_errors=True)


main()
