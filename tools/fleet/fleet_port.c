// The link past the kernel: datagrams are opened and answered in the buffers of a port.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/io/io_link.h"
#include "tools/fleet/fleet_link.h"

_Static_assert((int)FLEET_BURST == IO_LINK_BURST && (int)FLEET_COPIES_MAX == IO_LINK_COPIES_MAX,
	       "one burst is the other");

struct fleet_link {
	struct io_link *io;
	struct io_datagram datagram[FLEET_BURST];
	uint64_t missed; // told so far
};

static int open_one(struct fleet_link **made, const struct io_dpdk_config *config)
{
	struct fleet_link *link = calloc(1, sizeof(*link));
	char error[IO_ERROR_MAX] = "out of memory";
	int r = link ? io_link_open(&link->io, config, error) : -ENOMEM;

	if (r) {
		fprintf(stderr, "akmapush-ue: %s\n", error);
		free(link);
		return r;
	}
	*made = link;
	return 0;
}

static int port_open(struct fleet_link *link[], const struct fleet_link_config *config)
{
	int r = 0;

	for (unsigned i = 0; i < config->threads && r == 0; i++)
		r = open_one(&link[i], config->port);
	return r;
}

static void port_close(struct fleet_link *link)
{
	io_link_close(link->io);
	free(link);
}

static unsigned port_receive(struct fleet_link *link, struct fleet_datagram datagram[FLEET_BURST])
{
	const unsigned n = io_link_receive(link->io, link->datagram, FLEET_BURST);

	for (unsigned i = 0; i < n; i++) {
		const struct io_datagram *const from = &link->datagram[i];
		struct fleet_datagram *const to = &datagram[i];

		to->octets = from->data;
		to->len = from->len;
		to->copies = 0;
		to->ue.port = from->destination_port;
		to->peer.port = from->source_port;
		memcpy(to->ue.ip, from->destination, sizeof(to->ue.ip));
		memcpy(to->peer.octets, from->source, sizeof(to->peer.octets));
	}
	return n;
}

static unsigned port_answer(struct fleet_link *link, const struct fleet_datagram datagram[],
			    unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct io_datagram *const to = &link->datagram[i];

		to->copies = datagram[i].copies;
		to->len = (uint16_t)datagram[i].len;
		to->source_port = datagram[i].peer.port;
		memcpy(to->source, datagram[i].peer.octets, sizeof(to->source));
	}
	return io_link_answer(link->io, link->datagram, n);
}

static void port_wait(struct fleet_link *link, unsigned timeout_ms)
{
	io_link_wait(link->io, (uint64_t)timeout_ms * 1000000);
}

static void port_wake(struct fleet_link *link)
{
	io_link_wake(link->io);
}

static uint64_t port_overflow(struct fleet_link *link, bool is_end)
{
	const uint64_t before = link->missed;

	if (is_end) // it asks the device
		link->missed = io_link_missed(link->io);
	return link->missed - before;
}

const struct fleet_link_ops fleet_port = {
	.open = port_open,
	.close = port_close,
	.receive = port_receive,
	.answer = port_answer,
	.wait = port_wait,
	.wake = port_wake,
	.overflow = port_overflow,
};
