"""A daemon with a port that something happens to: its counters, pushes that run meanwhile, and what has to
hold at the end of each, whatever happened: all acknowledged, none delivered twice, all frames counted."""

import contextlib
import json
import re
import tempfile
import time

from netns import answers, dress, run, there, veth
from port_daemon import AF, GROUP, Case, PortDaemon
from real_daemon import check

JSON = (("content-type", "application/json"),)
PUSHES = f"/akma-push/v1/{AF}/pushes"
SMALL = ("--no-huge", "-m", "256", "--no-shconf")
VETH = "net_af_packet0,iface=xa,blocksz=65536,framesz=2048,framecnt=1024,qpairs={},qdisc_bypass=1"
TAP = "net_tap0,iface=akmatap"

# What became of each frame that came in; rx_other_worker comes again as one of these.
FATES = ("rx_udp", "rx_host", "rx_lost", "rx_stranger", "rx_protocol", "rx_vlan", "rx_short",
         "rx_lengths", "rx_fragment", "rx_ip_checksum", "rx_checksum", "rx_address")


def wait_for(what, seconds=20, pause=0.02):
    """What it gives as soon as that is true, or the last that it gave."""
    end = time.monotonic() + seconds
    while not (seen := what()) and time.monotonic() < end:
        time.sleep(pause)
    return seen


class World(Case):
    """where: the devices are. options: ues, workers, eal, is_v6, gateways (False: none), more (ports)."""

    def __init__(self, programs, title, device, where, **options):
        programs.ues = options.get("ues", 2000)
        super().__init__(programs, title, device, options.get("eal", SMALL), options.get("is_v6", False))
        self.where, self.gateways = where, options.get("gateways", True)
        self.workers, self.more = options.get("workers", 1), options.get("more", "")
        self.daemon = self.devices = None

    def check(self, what, good, seen=""):
        return check(f"{self.title}: {what}", good, seen)

    def configure(self, folder):
        daemon = PortDaemon(self.options.daemon, folder, 30000, self.device, self.eal)
        text = daemon.text.replace("io: dpdk,", f"io: dpdk, workers: {self.workers},")
        if not self.gateways:
            text = re.sub(" *gateways: .*\n", "", text)
        daemon.config.write_text(text + self.more)
        return daemon

    @contextlib.contextmanager
    def running(self, dress=None):
        """The daemon is there, its UEs are provisioned; dress: what an interface of its making wants."""
        with tempfile.TemporaryDirectory() as folder:
            self.daemon = self.configure(folder)
            self.devices = None
            try:
                self.start()
                if dress:
                    dress()
                self.provision(self.daemon)
                yield self
                self.check("ends in order", self.daemon.stop() == 0, self.log())
            finally:
                self.daemon.kill()
                if self.devices:
                    self.devices.kill()
                    self.devices.wait()

    def start(self):
        self.daemon.start()
        self.tune(lapPause=2500, lapPauseMax=2500)

    def log(self):
        return self.daemon.log.read_text()

    # ---- Pushes

    def tune(self, **values):
        answer = self.daemon.admin.ask("PUT", "/admin/v1/tuning", values, JSON)
        self.check("tuned", answer.status == 200, answer)

    def begin(self, **body):
        """A push to the group; its path."""
        whole = {"target": {"externalGroupId": GROUP}, "payload": "aGVsbG8=", "validityPeriod": 100, **body}
        answer = self.daemon.client.ask("POST", PUSHES, whole, JSON)
        if not self.check("the push is accepted", answer.status == 201, answer):
            raise SystemExit(1)
        return f"{PUSHES}/{answer.json['pushId']}"

    def see(self, push):
        return self.daemon.client.ask("GET", push).json

    def states(self, push):
        return self.see(push)["states"]

    def wait_delivered(self, push, n):
        wait_for(lambda: self.states(push).get("DELIVERED", 0) >= n)

    def is_over(self, push, seconds=60):
        return wait_for(lambda: (s := self.see(push))["state"] == "FINISHED" and s, seconds, 0.05)

    def listen(self):
        self.devices = self.fleet(self.where)

    def summary(self):
        """Of the fleet, which ends."""
        self.devices.terminate()
        out = self.devices.communicate(timeout=30)[0]
        self.devices = None
        return json.loads(out.splitlines()[-1])

    def complete(self, push, seconds=60):
        """Ends in time, all of it acknowledged, none twice."""
        seen = self.is_over(push, seconds)
        self.check("all acknowledged", seen and seen["states"] == {"DELIVERED": self.ues},
                   seen or (self.see(push), self.counts()))
        summary = self.summary()
        self.check("all verified", summary["distinct"] == self.ues, summary)
        self.check("none delivered twice", summary["delivered_again"] == 0, summary)

    # ---- Counters

    def stats(self):
        return self.daemon.admin.ask("GET", "/admin/v1/stats").json

    def counts(self):
        """Of the port; those of the workers as w_NAME."""
        stats = self.stats()
        port = stats["ports"][0]
        return {**port["counters"], **port["device"], "link": port["link"],
                **{f"w_{name}": n for name, n in stats["counters"].items()}}

    def quiet_counts(self):
        """When nothing is under way any more."""
        def still():
            before = self.counts()
            time.sleep(0.3)
            now = self.counts()
            return now if now["rx"] == before["rx"] and now["tx"] == before["tx"] else None
        return wait_for(still, 10) or self.counts()

    def check_counts(self):
        """Each frame has its fate, and the workers' sums are the port's."""
        c = self.quiet_counts()
        self.check("each frame received is accounted for", c["rx"] == sum(c[name] for name in FATES), c)
        self.check("each datagram is a worker's", c["rx_udp"] == c["w_rx"], c)
        more = c["tx"] + c["tx_held_lost"] - (c["w_sent"] - c["w_tx_failed"])
        hosts = c["rx_host"] + 100  # frames that the port's host answered with, and asked
        self.check("each frame sent is accounted for", 0 <= more <= hosts, c)
        return c

    def check_ping(self):
        for address in ("10.0.0.1", "fd00::1"):
            self.check(f"ping {address}", answers(self.where, address))


# ---- Where

def here(*command):
    """The kernel's end of a tap is beside it, in one namespace."""
    return command


@contextlib.contextmanager
def on_veth(programs, title, **options):
    device = VETH.format(options.get("workers", 1))
    with veth(), World(programs, title, device, there, **options).running() as world:
        yield world


def dress_tap():
    run("ip", "route", "replace", "local", "10.8.0.0/13", "dev", "lo")
    run("ip", "-6", "route", "replace", "local", "fd09::/64", "dev", "lo")
    dress("akmatap", here)


@contextlib.contextmanager
def on_tap(programs, title, **options):
    with World(programs, title, TAP, here, **options).running(dress_tap) as world:
        yield world
