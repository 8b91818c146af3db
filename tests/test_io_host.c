// Hosts that lack something: room in a queue, a family, io_uring, a route, a large MTU. Those that
// need a network of their own are skipped aloud where making one is not permitted.

#include "tests/kit/io_peer.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "dataplane/io/io_socket.h"

// ---- Making such a host

// From here on the process lives in a network of its own, with nothing but a loopback that is down.
static void own_network(void)
{
	if (unshare(CLONE_NEWNET))
		cr_skip("no network of our own: %s", strerror(errno));
	if (system("ip -V > /dev/null 2>&1"))
		cr_skip("no ip(8)");
}

static void run(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

// From here on this system call fails with `error`; arg: for this first argument alone, -1: any.
static void deny(long call, long arg, int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | (arg < 0 ? BPF_JGE : BPF_JEQ) | BPF_K,
			 arg < 0 ? 0 : (uint32_t)arg, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static unsigned send_burst(const struct io_ops *ops, struct io *io, const struct peer *peer,
			   unsigned n, uint16_t len)
{
	struct frame *frame[BURST];

	cr_assert_eq(ops->lend(io, frame, n), n);
	for (unsigned i = 0; i < n; i++)
		frame_to(frame[i], peer, i, len);
	return ops->transmit(io, frame, n);
}

// ---- No room

// The neighbour's address is not known yet, so datagrams wait and fill the socket's share.
static void fill_and_drain(const struct io_ops *ops, const char *ip, const char *resolve)
{
	struct io_socket_sizes sizes = {.send = 8192};
	struct io *io = io_start(ops, &sizes);
	struct peer far = {.port = 48470};
	unsigned left, all = 0;

	mapped_address(far.ip, ip);
	left = send_burst(ops, io, &far, BURST, 1000);
	cr_assert_gt(left, 0);
	cr_assert_lt(left, BURST);
	cr_assert_eq(send_burst(ops, io, &far, BURST, 1000), 0);
	cr_assert_eq(send_burst(ops, io, &far, 1, 1000), 0);
	run(resolve);
	for (int tries = 0; tries < 100 && all < BURST; tries++) {
		all += send_burst(ops, io, &far, BURST - all, 1000);
		if (all < BURST)
			usleep(1000);
	}
	cr_assert_eq(all, BURST, "%u", all);
	cr_assert_eq(io_failed(ops, io), 0);
	ops->close(io);
}

static void make_link(void)
{
	run("ip link set lo up && ip link add xa type veth peer name xb && "
	    "ip addr add 10.9.0.1/24 dev xa && ip addr add fd09::1/64 dev xa nodad && "
	    "ip link set xb up && ip link set xa up");
}

IO_TEST(io_host, a_full_queue_stops_the_burst)
{
	own_network();
	make_link();
	fill_and_drain(ops, "10.9.0.2",
		       "ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev xa");
}

IO_TEST(io_host, a_full_queue_stops_the_burst_ipv6)
{
	own_network();
	make_link();
	fill_and_drain(ops, "fd09::2", "ip neigh replace fd09::2 lladdr 02:00:00:00:00:02 dev xa");
}

// What passed a datagram that found no room counts as unsent only where that one stays unsent.
IO_TEST(io_host, a_full_queue_does_not_hold_what_needs_none)
{
	struct io_socket_sizes sizes = {.send = 8192};
	struct peer far = {.port = 48470}, near;
	struct frame *frame[BURST];
	unsigned done, arrived = 0;
	uint8_t data[2048];
	struct io *io;
	uint16_t from;

	own_network();
	make_link();
	io = io_start(ops, &sizes);
	near = peer_open("::1"); // another socket of ours: it has room
	mapped_address(far.ip, "10.9.0.2");
	while (send_burst(ops, io, &far, BURST, 1000))
		continue;
	cr_assert_eq(ops->lend(io, frame, 4), 4);
	for (unsigned i = 0; i < 4; i++)
		frame_to(frame[i], i == 2 ? &far : &near, i, 500);
	done = ops->transmit(io, frame, 4);
	cr_assert_eq(done, 2, "%u", done);
	while (peer_receive(&near, data, sizeof(data), 20, &from) >= 0)
		arrived++;
	cr_assert(arrived == 2 || (arrived == 3 && !strcmp(ops->chosen(io), "uring")), "%u",
		  arrived);
	cr_assert_eq(io_failed(ops, io), 0);
	ops->close(io);
}

// ---- Too large, no route

IO_TEST(io_host, never_fragments)
{
	struct peer peer;
	struct io *io;
	uint8_t data[2048];
	uint16_t from;

	own_network();
	run("ip link set lo mtu 600 up");
	io = io_start(ops, NULL);
	peer = peer_open("127.0.0.1");
	cr_assert_eq(send_burst(ops, io, &peer, 3, 573), 3); // 601 with the headers
	cr_assert_eq(io_failed(ops, io), 3);
	cr_assert_eq(send_burst(ops, io, &peer, 1, 572), 1);
	cr_assert_eq(io_failed(ops, io), 3);
	cr_assert_eq(peer_receive(&peer, data, sizeof(data), ARRIVAL_MS, &from), 572);
	cr_assert_eq(peer_receive(&peer, data, sizeof(data), 20, &from), -1);
	ops->close(io);
}

IO_TEST(io_host, without_a_route_datagrams_fail)
{
	struct peer peer[2] = {{.port = 48470}, {.port = 48470}};
	struct io *io;

	own_network();
	io = io_start(ops, NULL); // kernel: nothing can be measured
	mapped_address(peer[0].ip, "127.0.0.1");
	mapped_address(peer[1].ip, "fd09::1");
	cr_assert_eq(send_burst(ops, io, &peer[0], BURST, 100), BURST);
	cr_assert_eq(send_burst(ops, io, &peer[1], BURST, 100), BURST);
	cr_assert_eq(io_failed(ops, io), 2 * BURST);
	if (!strcmp(ops->name, "kernel"))
		cr_assert_str_eq(ops->chosen(io), "sendmmsg");
	ops->close(io);
}

// ---- One family

static void with_one_family(const struct io_ops *ops, const char *there, const char *missing)
{
	struct peer peer = peer_open(there), gone = {.port = 48470};
	struct frame *frame[BURST];
	uint8_t data[2048];
	struct io *io = io_start(ops, NULL);
	uint16_t from = 0;

	mapped_address(gone.ip, missing);
	cr_assert_eq(ops->lend(io, frame, 4), 4);
	for (unsigned i = 0; i < 4; i++)
		frame_to(frame[i], i & 1 ? &gone : &peer, i, 100);
	cr_assert_eq(ops->transmit(io, frame, 4), 4);
	cr_assert_eq(io_failed(ops, io), 2);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(peer_receive(&peer, data, sizeof(data), ARRIVAL_MS, &from), 100);
		cr_assert_eq(from, ops->port(io));
	}
	peer_send(&peer, ops->port(io), "x", 1);
	ops->arm(io);
	ops->wait(io, 1000 * 1000 * 1000);
	cr_assert_eq(ops->receive(io, frame, BURST), 1);
	ops->release(io, frame, 1);
	ops->close(io);
}

static void refuses_source(const struct io_ops *ops, const char *v4, const char *v6)
{
	const struct io_config config = {.burst_max = 1, .source = {v4, v6}};
	char error[IO_ERROR_MAX] = "";
	struct io *io;

	cr_assert_eq(ops->open(&io, &config, error), -EAFNOSUPPORT);
	cr_assert(strstr(error, v4 ? v4 : v6), "%s", error);
}

IO_TEST(io_host, without_ipv6)
{
	deny(SYS_socket, AF_INET6, EAFNOSUPPORT);
	with_one_family(ops, "127.0.0.1", "::1");
	refuses_source(ops, NULL, "::1"); // asked for by name, it is not left out in silence
}

IO_TEST(io_host, without_ipv4)
{
	deny(SYS_socket, AF_INET, EAFNOSUPPORT);
	with_one_family(ops, "::1", "127.0.0.1");
	refuses_source(ops, "127.0.0.1", NULL);
}

IO_TEST(io_host, without_either)
{
	const struct io_config config = {.burst_max = 1};
	char error[IO_ERROR_MAX] = "";
	struct io *io;

	deny(SYS_socket, -1, EAFNOSUPPORT);
	cr_assert_eq(ops->open(&io, &config, error), -EAFNOSUPPORT);
	cr_assert(strstr(error, "UDP socket"), "%s", error);
}

IO_TEST(io_host, with_ipv6_switched_off)
{
	own_network();
	run("ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
	with_one_family(ops, "127.0.0.1", "::1");
}

// ---- No options, no io_uring

// Without the options datagrams would be fragmented.
IO_TEST(io_host, does_not_open_without_its_options)
{
	deny(SYS_setsockopt, -1, EPERM);
	const struct io_config config = {.burst_max = 1};
	char error[IO_ERROR_MAX] = "";
	struct io *io;

	cr_assert_eq(ops->open(&io, &config, error), -EPERM);
	cr_assert(strstr(error, "not permitted"), "%s", error);
}

static void without_io_uring(int refusal)
{
	const struct io_ops *kernel = io_find("kernel"), *uring = io_find("uring");
	const struct io_config config = {.burst_max = BURST};
	char error[IO_ERROR_MAX] = "";
	struct io *io;

	if (!uring)
		cr_skip("built without uring");
	deny(SYS_io_uring_setup, -1, refusal);
	cr_assert_eq(uring->open(&io, &config, error), -refusal);
	cr_assert(strstr(error, "sendmmsg"), "%s", error); // says what to do
	cr_assert_eq(kernel->open(&io, &config, error), 0, "%s", error);
	cr_assert_str_eq(kernel->chosen(io), "sendmmsg");
	kernel->close(io);
}

Test(io_host, kernel_does_without_io_uring_forbidden)
{
	without_io_uring(EPERM);
}

Test(io_host, kernel_does_without_io_uring_unknown)
{
	without_io_uring(ENOSYS);
}

Test(io_host, kernel_does_without_io_uring_old)
{
	without_io_uring(EINVAL);
}
