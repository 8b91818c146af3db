"""Links and rings of a port: a link that goes down, an interface that is taken away, a ring that is full, a
pool that is empty, workers that get each other's datagrams, a kill."""

import contextlib
import ipaddress
import signal
import tempfile
import time

from netns import THERE, huge_pages, run, there, veth
from port_daemon import AF
from port_world import SMALL, VETH, World, here, on_tap, on_veth, wait_for


# ---- Links

def link_down(programs):
    with on_tap(programs, "link down") as world:
        world.listen()
        world.tune(rate=1000)
        push = world.begin()
        world.wait_delivered(push, 200)
        run("ip", "link", "set", "akmatap", "down")
        c = wait_for(lambda: (c := world.counts())["link"] == "down" and c["tx_no_link"] and c, 5)
        world.check("bursts are put off", c, world.counts())
        metrics = {name: n for name, n in world.daemon.metrics().items() if name.startswith("akmapush_port_link_up")}
        world.check("told in metrics", list(metrics.values()) == [0], metrics)
        before = world.states(push).get("DELIVERED")
        time.sleep(0.5)
        seen = world.see(push)
        world.check("the push waits", seen["state"] == "RUNNING" and seen["states"].get("DELIVERED") == before,
                    seen)
        run("ip", "link", "set", "akmatap", "up")
        world.complete(push, 20)
        c = world.check_counts()
        world.check("the link is up", c["link"] == "up", c)
        print(f"link down: tx_full {c['tx_full']}, tx_no_link {c['tx_no_link']}, "
              f"device_tx_errors {c['device_tx_errors']}", flush=True)
        told = [line for line in world.log().splitlines() if ": link " in line]
        world.check("a line for each change", [line.rsplit(" ", 1)[1] for line in told] ==
                    ["up", "down", "up"], told)


def one_of_two_links_down(programs):
    """Targets whose link is down wait for it; that another port's is up gives them no way."""
    more = "    - {device: net_null1, addresses: [10.5.0.1/24]}\n"
    with on_tap(programs, "one of two links down", more=more) as world:
        run("ip", "link", "set", "akmatap", "down")
        wait_for(lambda: "link down" in world.log(), 5)
        world.listen()
        push = world.begin()
        c = wait_for(lambda: (c := world.counts())["tx_no_link"] >= world.ues and c, 5)
        world.check("counted", c and c["w_tx_no_route"] == 0 and c["w_tx_failed"] >= world.ues, world.counts())
        world.check("they are pending", world.states(push) == {"PENDING": world.ues}, world.states(push))
        run("ip", "link", "set", "akmatap", "up")
        world.complete(push, 20)
        world.check_counts()


def interface_down(programs):
    """The interface of af_packet, which does not tell: the ring fills, and empties when it is up."""
    with on_veth(programs, "interface down") as world:
        world.listen()
        world.tune(rate=1000)
        push = world.begin()
        world.wait_delivered(push, 200)
        run("ip", "link", "set", "xa", "down")
        c = wait_for(lambda: (c := world.counts())["tx_full"] + c["tx_no_link"] and c, 5)
        world.check("counted", c, world.counts())
        run("ip", "link", "set", "xa", "up")
        world.complete(push, 20)
        c = world.check_counts()
        print(f"interface down: tx_full {c['tx_full']}, tx_no_link {c['tx_no_link']}, "
              f"device_tx_errors {c['device_tx_errors']}, sent again {c['w_sent_again']}", flush=True)


def unplugged(programs):
    """The interface is deleted; the daemon goes on without, and with a new one after a restart."""
    with veth(), World(programs, "unplugged", VETH.format(1), there).running() as world:
        world.listen()
        world.tune(rate=1000)
        push = world.begin()
        world.wait_delivered(push, 200)
        run("ip", "link", "del", "xa")
        time.sleep(1)
        before, begin = world.counts(), time.monotonic()
        time.sleep(0.5)
        c = world.counts()
        world.check("counted", c["link"] == "down" or any(
            c[name] > before[name] for name in ("device_tx_errors", "tx_no_link", "tx_full")), (before, c))
        print(f"unplugged: link {c['link']}; tx_no_link {c['tx_no_link']}, tx_full {c['tx_full']}, "
              f"device_tx_errors {c['device_tx_errors']}; {world.states(push)}", flush=True)
        world.check("it answers", world.see(push)["state"] == "RUNNING" and time.monotonic() - begin < 30)
        world.check("ends in order", world.daemon.stop() == 0, world.log())
        with veth():
            world.start()
            world.complete(push, 20)
            world.check_ping()
        run("ip", "link", "add", "xa", "type", "veth", "peer", "name", "xb", "netns", THERE)  # to be deleted


# ---- A peer that does not read

class Reader(World):
    """A daemon at the other end of a memif: it answers ARP, and counts what is not for it."""

    def configure(self, folder):
        daemon = super().configure(folder)
        text = daemon.config.read_text().replace("10.0.0.1/24, fd00::1", "10.0.0.2/24, fd00::2")
        daemon.config.write_text(text)
        return daemon

    def provision(self, daemon):
        pass


@contextlib.contextmanager
def memif(programs, title, rings, eal=SMALL, is_client=True):
    """A daemon with 20,000 UEs behind its reader, who knows that it is there. A server is started first, and
    a client connects once only."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        device = f"net_memif0,id=0,socket-abstract=no,socket={folder}/memif,{rings},role="
        world = World(programs, title, device + ("client" if is_client else "server"), here, ues=20000, eal=eal)
        reader = Reader(programs, f"{title}, reader", device.replace(",zero-copy=yes", "") +
                        ("server" if is_client else "client"), here, gateways=False, eal=eal)
        for each in (reader, world) if is_client else (world, reader):
            running.enter_context(each.running())
        wait_for(lambda: world.counts()["link"] == "up" and world.counts()["rx_host"], 5)
        yield world, reader


def stop_reading(world, reader):
    """A push, while the reader does not read at first. What was counted until then."""
    before = reader.quiet_counts()
    reader.daemon.process.send_signal(signal.SIGSTOP)
    push = world.begin(ackRequested=False)
    time.sleep(1)
    stopped, seen = world.counts(), world.see(push)
    world.check("the push waits", seen["state"] == "RUNNING", seen)
    reader.daemon.process.send_signal(signal.SIGCONT)
    seen = world.is_over(push, 20)
    world.check("the push completes", seen and seen["states"] == {"SENT": world.ues}, seen)
    after = reader.quiet_counts()
    got = after["rx_stranger"] - before["rx_stranger"]
    world.check("each datagram arrives once", got == world.ues, (got, after))
    c = world.check_counts()
    print(f"{world.title}: {stopped['tx']} of {c['tx']} sent meanwhile, tx_full {stopped['tx_full']}, "
          f"no buffer {stopped['w_tx_no_buffer']}", flush=True)
    return stopped


def ring_full(programs):
    with memif(programs, "ring full", "rsize=10") as (world, reader):
        c = stop_reading(world, reader)
        world.check("counted", c["tx_full"] > 0 and c["tx"] <= 1024, c)


def ring_full_and_hops(programs):
    """Frames that wait for next hops between those that the ring has no room for: each waits once."""
    with memif(programs, "ring full, hops that do not answer", "rsize=8") as (world, reader):
        world.ues, hops = 2000, 50
        world.load(world.daemon, "provision", "--count", str(world.ues), "--group", "some", *world.net)
        for i in range(hops):
            first = ipaddress.ip_address("10.0.0.100") + i - 40 * i  # the subscriber's number is added
            world.load(world.daemon, "provision", "--from", str(40 * i), "--count", "1", "--first", str(first))
        world.load(world.daemon, "af", "--af", AF, "--group", "some")
        before = reader.quiet_counts()
        reader.daemon.process.send_signal(signal.SIGSTOP)
        push = world.begin(target={"externalGroupId": "some"}, ackRequested=False)
        time.sleep(0.5)
        reader.daemon.process.send_signal(signal.SIGCONT)
        seen = world.is_over(push, 20)
        world.check("the push completes", seen and seen["states"] == {"SENT": world.ues}, seen)
        wait_for(lambda: world.counts()["tx_held_lost"] == hops, 6)
        got = reader.quiet_counts()["rx_stranger"] - before["rx_stranger"]
        c = world.check_counts()
        world.check("each is held once", c["tx_full"] > 0 and c["tx_held"] == c["tx_held_lost"] == hops, c)
        world.check("none fails", c["w_tx_failed"] == 0, c)
        world.check("each of the others arrives once", got == world.ues - hops, got)


def peer_away(programs):
    """What is in the ring when he goes is lost, and nothing else."""
    with memif(programs, "peer away", "rsize=8", is_client=False) as (world, reader):
        before = reader.quiet_counts()["rx_stranger"]
        world.tune(rate=8000)
        push = world.begin(ackRequested=False)
        wait_for(lambda: reader.counts()["rx_stranger"] - before > 2000)
        world.tune(rate=1)
        got = reader.quiet_counts()["rx_stranger"] - before
        world.check("the reader ends in order", reader.daemon.stop() == 0, reader.log())
        world.tune(rate=8000)
        c = wait_for(lambda: (c := world.counts())["link"] == "down" and c["tx_no_link"] and c, 5)
        world.check("bursts are put off", c, world.counts())
        reader.start()
        seen = world.is_over(push, 20)
        world.check("the push completes", seen and seen["states"] == {"SENT": world.ues}, seen)
        got_since = reader.quiet_counts()["rx_stranger"]
        c = world.check_counts()
        lost = world.ues - got - got_since
        world.check("no more is lost than its ring held", 0 <= lost <= 300, (got, got_since, c))
        print(f"peer away: {got} before, {got_since} after, tx {c['tx']}, tx_no_link {c['tx_no_link']}, "
              f"tx_full {c['tx_full']}, link {c['link']}", flush=True)


def pool_empty(programs):
    """Rings without copies, longer than the daemon counts on: what is in them is out of the pool."""
    eal = (*SMALL, "--single-file-segments")
    with memif(programs, "pool empty", "rsize=12,zero-copy=yes", eal) as (world, reader):
        c = stop_reading(world, reader)
        world.check("counted", c["w_tx_no_buffer"] > 0, c)


# ---- Workers

def workers(programs):
    for where, title in ((on_veth, "af_packet"), (on_tap, "tap")):
        for n in (2, 4):
            with where(programs, f"{n} workers, {title}", workers=n, ues=4000) as world:
                world.listen()
                world.complete(world.begin(), 30)
                c = world.check_counts()
                # the kernel sends what comes back to a tap's queue that it came from
                world.check("acknowledgements are handed over", c["rx_other_worker"] > 0 or title == "tap", c)
                print(f"{world.title}: rx_udp {c['rx_udp']}, rx_other_worker {c['rx_other_worker']}, "
                      f"rx_lost {c['rx_lost']}", flush=True)
                world.check_ping()


# ---- A kill

def kill(programs, pages, eal):
    with on_veth(programs, f"kill, {pages} pages", eal=eal) as world:
        world.listen()
        world.tune(rate=1000)
        push = world.begin()
        world.wait_delivered(push, 500)
        world.daemon.stop(signal.SIGKILL)
        world.start()
        world.complete(push, 20)
        world.check_counts()


def killed(programs):
    kill(programs, "small", SMALL)
    with huge_pages() as there_are:
        if there_are:
            kill(programs, "huge", ())
        else:
            print("not run: a kill with huge pages, which cannot be had here")


SCENARIOS = {"link-down": link_down, "one-link-down": one_of_two_links_down, "interface-down": interface_down,
             "unplugged": unplugged, "ring-full": ring_full, "ring-full-hops": ring_full_and_hops,
             "peer-away": peer_away, "pool-empty": pool_empty, "workers": workers, "killed": killed}
