"""Next hops of a port: storms of ARP, hops that do not answer, or late, or are somebody else suddenly;
addresses that nothing leads to."""

import random
import threading
import time

from netns import run, there
from port_daemon import AF
from port_world import on_veth, wait_for
from raw_frames import ARP, BROADCAST, IPV6, Door, advertisement, arp, ethernet

HELD = 256  # frames that wait for next hops, for each worker
STORM = 100000
ON_LINK = "10.0.0.128"


# ---- A storm

def storm(mac, n):
    """Requests and answers, to us and to others, of hosts that nobody has asked for."""
    rng = random.Random(1)
    for i in range(n):
        who = bytes([2]) + rng.randbytes(5)
        sender = f"10.{rng.choice((0, 99))}.0.{rng.randrange(3, 120)}" if i % 2 else \
            f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.7"
        target = "10.0.0.1" if i % 4 == 0 else f"10.0.0.{rng.randrange(2, 255)}"
        yield ethernet(BROADCAST if i % 3 else mac, ARP, arp(i % 5 < 3, sender, target, who), source=who)


def arp_storm(programs):
    with on_veth(programs, "ARP storm", ues=20000) as world:
        mac = bytes.fromhex(world.stats()["ports"][0]["mac"].replace(":", ""))
        door, frames, sent = Door("xb"), list(storm(mac, STORM)), []
        world.listen()
        world.tune(rate=10000)
        before = world.counts()
        push = world.begin()
        begin = time.monotonic()
        sender = threading.Thread(target=lambda: sent.append(door.send_fast(frames)))
        sender.start()
        sender.join()
        took = time.monotonic() - begin
        world.check("the storm was sent", sent == [STORM], sent)
        world.tune(rate=0)
        world.complete(push)
        now = world.check_counts()
        got = {name: now[name] - before[name] for name in
               ("rx_host", "rx_lost", "device_rx_missed", "device_rx_no_buffer", "w_tx_no_buffer")}
        world.check("the host took its part of it", got["rx_host"] > 0, got)
        world.check("no more than was sent", got["rx_host"] + got["rx_lost"] <= STORM + 100, got)
        print(f"ARP storm: {STORM} frames in {took:.2f} s: {got}", flush=True)
        world.check_ping()
        a_new_hop(world)
        door.close()


def a_new_hop(world):
    """One who is on the link, so a hop of his own, is still found."""
    run(*there("ip", "route", "replace", "local", f"{ON_LINK}/25", "dev", "lo"))
    world.ues, world.net = 1, ["--first", ON_LINK]
    world.load(world.daemon, "provision", "--count", "1", "--group", "one", *world.net)
    world.load(world.daemon, "af", "--af", AF, "--group", "one")
    world.listen()
    world.complete(world.begin(target={"externalGroupId": "one"}), 10)


# ---- Next hops that do not answer

def address_there(verb, *more):
    run(*there("ip", "addr", verb, "10.0.0.2/24", "dev", "xb", *more))


def restart_without_hop(world):
    """The gateway is asked for from the start on."""
    world.daemon.stop()
    address_there("del")
    world.start()


def late_hop(programs):
    with on_veth(programs, "late hop", ues=1000) as world:
        world.listen()
        restart_without_hop(world)
        push = world.begin()
        wait_for(lambda: (c := world.counts())["tx_held"] + c["tx_no_hop"] >= world.ues, 2)
        c = world.counts()
        world.check("held, as many as there is room for", c["tx_held"] == HELD, c)
        world.check("the others fail", c["tx_no_hop"] == world.ues - HELD == c["w_tx_failed"], c)
        world.check("which were sent to", world.states(push) == {"SENT": HELD, "PENDING": world.ues - HELD},
                    world.states(push))
        address_there("add")
        wait_for(lambda: world.states(push).get("DELIVERED", 0) >= HELD, 3)
        world.check("those held leave", world.states(push).get("DELIVERED") == HELD, world.states(push))
        world.complete(push, 15)
        world.check("none held is lost", (c := world.check_counts())["tx_held_lost"] == 0, c)


def no_hop(programs):
    with on_veth(programs, "no hop", ues=1000) as world:
        restart_without_hop(world)
        push = world.begin(validityPeriod=6)
        seen = world.is_over(push, 15)
        world.check("unconfirmed, or nothing was sent", seen and
                    seen["states"] == {"UNCONFIRMED": HELD, "EXPIRED": world.ues - HELD}, seen)
        c = world.counts()
        world.check("those held are lost", c["tx_held_lost"] == HELD and c["tx"] < 10, c)
        world.check("the others failed in each lap", c["tx_no_hop"] >= 2 * (world.ues - HELD), c)
        address_there("add")  # of itself it says nothing
        world.listen()
        world.complete(world.begin(), 8)


def stopped(programs):
    """What is held when a push is recalled, or a device removed, does not leave afterwards."""
    with on_veth(programs, "stopped", ues=100) as world:
        world.listen()
        restart_without_hop(world)
        pushes = [world.begin(), world.begin()]
        wait_for(lambda: world.counts()["tx_held"] >= 2 * world.ues, 2)
        for i in range(10):
            answer = world.daemon.client.ask("DELETE", f"/akma-push/v1/ues/imsi-00101{i:010}")
            world.check("the device is removed", answer.status == 204, answer)
        world.daemon.client.ask("DELETE", pushes[0])
        seen = world.see(pushes[0])
        world.check("recalled", seen["states"] == {"RECALLED": world.ues}, seen)
        address_there("add")
        wait_for(lambda: world.states(pushes[1]).get("DELIVERED") == world.ues - 10, 5)
        summary = world.summary()
        world.check("the others are reached, once", summary["datagrams"] == world.ues - 10, summary)
        c = world.check_counts()
        world.check("counted", c["tx_held_lost"] == world.ues + 10, c)


# ---- Next hops that change

def replaced_hop(programs):
    for is_v6 in (False, True):
        with on_veth(programs, f"replaced hop, IPv{6 if is_v6 else 4}", ues=1000, is_v6=is_v6) as world:
            mac = bytes.fromhex("020000000099")
            ip, kind = ("fd00::2", IPV6) if is_v6 else ("10.0.0.2", ARP)
            world.listen()
            world.tune(rate=500)
            push = world.begin()
            world.wait_delivered(push, 200)
            run(*there("ip", "link", "set", "xb", "address", mac.hex(":")))
            time.sleep(0.5)
            before = world.states(push).get("DELIVERED")
            time.sleep(0.3)
            world.check("to the old one nothing arrives", world.states(push).get("DELIVERED") == before)
            door = Door("xb")
            door.send(ethernet(BROADCAST if not is_v6 else bytes.fromhex("333300000001"), kind,
                               advertisement(ip, mac) if is_v6 else arp(True, ip, ip, mac), source=mac))
            begin = time.monotonic()
            wait_for(lambda: world.states(push).get("DELIVERED", 0) > before, 20)
            took = time.monotonic() - begin
            world.check("to the new one it does, before it would be asked", took < 20, took)
            world.tune(rate=0)
            world.complete(push)
            world.check_counts()
            door.close()


# ---- Addresses that nothing leads to

def no_route(programs):
    with on_veth(programs, "no route", ues=200, gateways=False) as world:
        run(*there("ip", "route", "replace", "local", f"{ON_LINK}/25", "dev", "lo"))
        link = ["--first", ON_LINK]
        world.load(world.daemon, "provision", "--count", "100", *link)
        world.tune(lapPauseMax=60000, lapPause=60000)
        world.ues, world.net = 120, link
        world.listen()
        push = world.begin()
        there_are = {"DELIVERED": 100, "NO_ADDRESS": 100}
        wait_for(lambda: world.states(push) == there_are, 10)
        world.check("those on the link have it, the others no address", world.states(push) == there_are,
                    world.states(push))
        c = world.counts()
        world.check("counted", c["w_tx_no_route"] == c["w_tx_failed"] == 100, c)
        results = world.daemon.client.ask("GET", f"{push}/results?state=NO_ADDRESS").text.splitlines()
        world.check("the report names them", len(results) == 100, results[:2])
        world.load(world.daemon, "provision", "--from", "100", "--count", "20", *link)
        wait_for(lambda: world.states(push).get("DELIVERED") == 120, 10)
        world.check("with an address on the link they are sent to",
                    world.states(push) == {"DELIVERED": 120, "NO_ADDRESS": 80}, world.states(push))
        world.daemon.client.ask("DELETE", push)
        seen = world.see(push)
        world.check("recalled", seen["states"] == {"DELIVERED": 120, "RECALLED": 80}, seen)
        summary = world.summary()
        world.check("none twice", summary["distinct"] == 120 and not summary["delivered_again"], summary)
        world.check_counts()


SCENARIOS = {"storm": arp_storm, "late-hop": late_hop, "no-hop": no_hop, "stopped": stopped,
             "replaced-hop": replaced_hop, "no-route": no_route}
