// The link over sockets. Every worker listens on every port; where UEs share an address, each port
// is one worker's.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tools/fleet/fleet_socket.h"

enum { EVENTS = 64, BURSTS_MAX = 16, WAKE = UINT32_MAX };

struct fleet_link {
	struct fleet_socket *sockets;
	unsigned n_sockets;
	int epoll, wake;
	struct fleet_burst *burst;
	struct epoll_event ready[EVENTS];
	int n_ready, at;   // the socket that is read now
	unsigned n_bursts; // that it gave
	uint64_t overflow; // not told yet
};

// ---- Open and close

static int watch(struct fleet_link *link, int fd, uint32_t what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};

	return epoll_ctl(link->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int make(struct fleet_link **made, unsigned n_ports)
{
	struct fleet_link *link = calloc(1, sizeof(*link));

	*made = link;
	if (!link)
		return -ENOMEM;
	link->epoll = epoll_create1(EPOLL_CLOEXEC);
	link->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (link->epoll < 0 || link->wake < 0)
		return -errno;
	link->sockets = calloc(n_ports, sizeof(*link->sockets));
	link->burst = fleet_burst_new();
	return link->sockets && link->burst ? watch(link, link->wake, WAKE) : -ENOMEM;
}

static int add_socket(struct fleet_link *link, const struct fleet_link_config *config,
		      uint16_t port, unsigned share, bool is_last)
{
	struct fleet_socket *s = &link->sockets[link->n_sockets];
	int r = fleet_socket_open(s, config->net->family, port, share, is_last, config->buffer);

	return r ? r : watch(link, s->fd, link->n_sockets++);
}

static int open_port(struct fleet_link *link[], const struct fleet_link_config *config,
		     uint16_t port)
{
	const struct subscriber_address ue = {.port = port};
	int r = 0;

	if (config->net->per_port == 1)
		return add_socket(link[fleet_worker_of(config->net, config->threads, &ue)], config,
				  port, 1, true);
	for (unsigned i = 0; i < config->threads && r == 0; i++)
		r = add_socket(link[i], config, port, config->threads, i + 1 == config->threads);
	return r;
}

static int sockets_open(struct fleet_link *link[], const struct fleet_link_config *config)
{
	struct subscriber_address first, last;
	int r = 0;

	if (subscriber_address(config->net, config->from, &first) ||
	    subscriber_address(config->net, config->from + config->count - 1, &last))
		return -ERANGE;
	for (unsigned i = 0; i < config->threads && r == 0; i++)
		r = make(&link[i], (unsigned)(last.port - first.port) + 1);
	if (r)
		fprintf(stderr, "akmapush-ue: %s\n", strerror(-r));
	for (unsigned port = first.port; port <= last.port && r == 0; port++) {
		r = open_port(link, config, (uint16_t)port);
		if (r)
			fprintf(stderr, "akmapush-ue: UDP port %u: %s\n", port, strerror(-r));
	}
	return r;
}

static void sockets_close(struct fleet_link *link)
{
	for (unsigned i = 0; i < link->n_sockets; i++)
		fleet_socket_close(&link->sockets[i]);
	free(link->sockets);
	fleet_burst_free(link->burst);
	close(link->epoll);
	close(link->wake);
	free(link);
}

// ---- The worker's

// The socket that is read now; NULL: all that were ready have been.
static struct fleet_socket *current(struct fleet_link *link)
{
	while (link->at < link->n_ready && link->ready[link->at].data.u32 == WAKE)
		link->at++;
	return link->at < link->n_ready ? &link->sockets[link->ready[link->at].data.u32] : NULL;
}

static void go_on(struct fleet_link *link)
{
	link->overflow += fleet_socket_overflow(current(link));
	link->n_bursts = 0;
	link->at++;
}

// A socket that always has more does not keep the others waiting.
static unsigned sockets_receive(struct fleet_link *link,
				struct fleet_datagram datagram[FLEET_BURST])
{
	struct fleet_socket *s;

	while ((s = current(link))) {
		int n = link->n_bursts < BURSTS_MAX ? fleet_socket_receive(s, link->burst, datagram)
						    : 0;

		if (n > 0) {
			link->n_bursts = n < FLEET_BURST ? BURSTS_MAX : link->n_bursts + 1;
			return (unsigned)n;
		}
		go_on(link);
	}
	return 0;
}

static unsigned sockets_answer(struct fleet_link *link, const struct fleet_datagram datagram[],
			       unsigned n)
{
	return fleet_socket_send(current(link), link->burst, datagram, n);
}

static void sockets_wait(struct fleet_link *link, unsigned timeout_ms)
{
	link->n_ready = epoll_wait(link->epoll, link->ready, EVENTS, (int)timeout_ms);
	link->at = 0;
}

static void sockets_wake(struct fleet_link *link)
{
	const uint64_t one = 1;

	if (write(link->wake, &one, sizeof(one)) < 0)
		perror("eventfd");
}

static uint64_t sockets_overflow(struct fleet_link *link, bool is_end)
{
	uint64_t n = link->overflow;

	for (unsigned i = 0; is_end && i < link->n_sockets; i++)
		n += fleet_socket_overflow(&link->sockets[i]);
	link->overflow = 0;
	return n;
}

const struct fleet_link_ops fleet_sockets = {
	.open = sockets_open,
	.close = sockets_close,
	.receive = sockets_receive,
	.answer = sockets_answer,
	.wait = sockets_wait,
	.wake = sockets_wake,
	.overflow = sockets_overflow,
};
