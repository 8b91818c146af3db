#include "dataplane/io/io_mem_net.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wake.h"

enum { PORT_FIRST = 40000, DATAGRAM_MAX = 65535, NONE = -1 };

// ---- Dice

static uint64_t next_random(struct io_mem *net)
{
	uint64_t x = net->dice += 0x9e3779b97f4a7c15; // SplitMix64

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static bool happens(struct io_mem *net, uint32_t of_a_million)
{
	return next_random(net) % IO_MEM_CERTAIN < of_a_million;
}

static unsigned throw_delay(struct io_mem *net)
{
	if (!happens(net, net->config.delayed) || !net->config.delay_max)
		return 1;
	net->counts.delayed++;
	return 2 + (unsigned)(next_random(net) % net->config.delay_max);
}

// ---- Lines

static void line_put(struct io_mem *net, struct io_mem_line *line, int32_t at)
{
	net->flights[at].next = NONE;
	if (line->n++)
		net->flights[line->last].next = at;
	else
		line->first = at;
	line->last = at;
}

static int32_t line_take(struct io_mem *net, struct io_mem_line *line)
{
	int32_t at = line->first;

	assert(line->n);
	line->first = net->flights[at].next;
	line->n--;
	return at;
}

static int32_t take_flight(struct io_mem *net, const struct io_mem_datagram *datagram)
{
	int32_t at = net->free;
	struct io_mem_flight *flight = &net->flights[at];
	size_t kept = datagram->len < FRAME_MAX ? datagram->len : FRAME_MAX;

	assert(at != NONE); // as many as lines can hold
	net->free = flight->next;
	flight->len = (uint16_t)(datagram->len <= FRAME_MAX ? datagram->len : FRAME_MAX + 1);
	flight->port = datagram->port;
	flight->worker_port = datagram->worker_port;
	memcpy(flight->ip, datagram->ip, sizeof(flight->ip));
	if (kept)
		memcpy(flight->data, datagram->data, kept);
	return at;
}

static void give_flight(struct io_mem *net, int32_t at)
{
	net->flights[at].next = net->free;
	net->free = at;
}

static struct io_mem_datagram datagram_of(const struct io_mem_flight *flight)
{
	struct io_mem_datagram datagram = {
		.data = flight->data,
		.len = flight->len,
		.port = flight->port,
		.worker_port = flight->worker_port,
	};

	memcpy(datagram.ip, flight->ip, sizeof(datagram.ip));
	return datagram;
}

// ---- On the way

static void launch(struct io_mem *net, const struct io_mem_datagram *datagram, bool to_worker)
{
	int32_t at = take_flight(net, datagram);

	net->flights[at].to_worker = to_worker;
	net->in_flight++;
	line_put(net, &net->due[(net->step + throw_delay(net)) % IO_MEM_WHEEL], at);
}

static bool has_room(const struct io_mem *net)
{
	return net->in_flight < net->config.in_flight_max;
}

// Loss and repetition; there is room for one. A repetition that has no room does not happen.
static void carry(struct io_mem *net, const struct io_mem_datagram *datagram, bool to_worker)
{
	if (happens(net, net->config.lost)) {
		net->counts.lost++;
		return;
	}
	launch(net, datagram, to_worker);
	if (happens(net, net->config.twice) && has_room(net)) {
		net->counts.repeated++;
		launch(net, datagram, to_worker);
	}
}

static struct io *worker_at(const struct io_mem *net, uint16_t port)
{
	for (unsigned i = 0; i < IO_MEM_WORKERS; i++) {
		if (net->workers[i] && net->workers[i]->port == port)
			return net->workers[i];
	}
	return NULL;
}

// A flight reaches its worker, or falls.
static bool arrive(struct io_mem *net, int32_t at)
{
	struct io *worker = worker_at(net, net->flights[at].worker_port);

	if (!worker || worker->inbox.n == net->config.inbox_max) {
		net->counts.dropped++;
		give_flight(net, at);
		return false;
	}
	line_put(net, &worker->inbox, at);
	wake_signal(&worker->wake);
	return true;
}

// The device is called without the lock: it answers.
static void deliver(struct io_mem *net, int32_t at)
{
	const struct io_mem_datagram datagram = datagram_of(&net->flights[at]);

	net->counts.delivered++;
	pthread_mutex_unlock(&net->lock);
	net->config.device(net->config.ctx, net, &datagram);
	pthread_mutex_lock(&net->lock);
	give_flight(net, at);
}

unsigned io_mem_step(struct io_mem *net)
{
	unsigned moved = 0;
	struct io_mem_line *due;

	pthread_mutex_lock(&net->lock);
	due = &net->due[++net->step % IO_MEM_WHEEL];
	for (; due->n; moved++) {
		int32_t at = line_take(net, due);

		net->in_flight--;
		if (net->flights[at].to_worker)
			arrive(net, at);
		else
			deliver(net, at);
	}
	pthread_mutex_unlock(&net->lock);
	return moved;
}

bool io_mem_reply(struct io_mem *net, const struct io_mem_datagram *to, const void *data,
		  size_t len)
{
	struct io_mem_datagram reply = *to;
	bool room;

	assert(len <= DATAGRAM_MAX);
	reply.data = data;
	reply.len = len;
	pthread_mutex_lock(&net->lock);
	net->counts.replied++;
	room = has_room(net);
	if (room)
		carry(net, &reply, true);
	else
		net->counts.dropped++;
	pthread_mutex_unlock(&net->lock);
	return room;
}

bool io_mem_inject(struct io_mem *net, const struct io_mem_datagram *datagram)
{
	bool arrived;

	assert(datagram->len <= DATAGRAM_MAX);
	pthread_mutex_lock(&net->lock);
	net->counts.injected++;
	arrived = arrive(net, take_flight(net, datagram));
	pthread_mutex_unlock(&net->lock);
	return arrived;
}

// ---- The net

static bool is_valid(const struct io_mem_config *c)
{
	return c->device && c->lost <= IO_MEM_CERTAIN && c->twice <= IO_MEM_CERTAIN &&
	       c->delayed <= IO_MEM_CERTAIN && c->refused <= IO_MEM_CERTAIN &&
	       c->delay_max <= IO_MEM_DELAY_MAX && c->in_flight_max && c->inbox_max &&
	       c->in_flight_max <= 1 << 24 && c->inbox_max <= 1 << 20;
}

int io_mem_open(struct io_mem **net, const struct io_mem_config *config)
{
	struct io_mem *made;
	size_t n;

	if (!is_valid(config))
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	*made = (struct io_mem){.config = *config,
				.dice = config->seed,
				.room = UINT32_MAX,
				.datagram_max = FRAME_MAX};
	// One more for each of an injection and a delivery at a time.
	n = config->in_flight_max + (size_t)config->inbox_max * IO_MEM_WORKERS + 2;
	made->flights = calloc(n, sizeof(made->flights[0]));
	if (!made->flights) {
		free(made);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		made->flights[i].next = i + 1 < n ? (int32_t)(i + 1) : NONE;
	pthread_mutex_init(&made->lock, NULL);
	*net = made;
	return 0;
}

void io_mem_close(struct io_mem *net)
{
	assert(!net->n_workers);
	pthread_mutex_destroy(&net->lock);
	free(net->flights);
	free(net);
}

unsigned io_mem_in_flight(struct io_mem *net)
{
	unsigned n;

	pthread_mutex_lock(&net->lock);
	n = net->in_flight;
	pthread_mutex_unlock(&net->lock);
	return n;
}

void io_mem_set_room(struct io_mem *net, uint32_t datagrams)
{
	pthread_mutex_lock(&net->lock);
	net->room = datagrams;
	pthread_mutex_unlock(&net->lock);
}

void io_mem_set_datagram_max(struct io_mem *net, unsigned octets)
{
	pthread_mutex_lock(&net->lock);
	net->datagram_max = octets;
	pthread_mutex_unlock(&net->lock);
}

void io_mem_set_dice(struct io_mem *net, uint32_t lost, uint32_t twice, uint32_t delayed,
		     uint32_t refused)
{
	struct io_mem_config config;

	pthread_mutex_lock(&net->lock);
	config = net->config;
	config.lost = lost;
	config.twice = twice;
	config.delayed = delayed;
	config.refused = refused;
	assert(is_valid(&config));
	net->config = config;
	pthread_mutex_unlock(&net->lock);
}

void io_mem_counts(struct io_mem *net, struct io_mem_counts *counts)
{
	pthread_mutex_lock(&net->lock);
	*counts = net->counts;
	pthread_mutex_unlock(&net->lock);
}

// ---- A worker's end

// A free port of the net, the wanted one or any; 0: none.
static uint16_t free_port(const struct io_mem *net, uint16_t wanted)
{
	uint16_t port = wanted ? wanted : PORT_FIRST;

	if (wanted)
		return worker_at(net, port) ? 0 : port;
	while (worker_at(net, port))
		port++;
	return port;
}

int io_mem_attach(struct io_mem *net, struct io *io, uint16_t wanted)
{
	unsigned i = 0;
	int status = 0;

	pthread_mutex_lock(&net->lock);
	io->port = free_port(net, wanted);
	while (i < IO_MEM_WORKERS && net->workers[i])
		i++;
	if (!io->port) {
		status = -EADDRINUSE;
	} else if (i == IO_MEM_WORKERS) {
		status = -EMFILE;
	} else {
		io->net = net;
		net->workers[i] = io;
		net->n_workers++;
	}
	pthread_mutex_unlock(&net->lock);
	return status;
}

void io_mem_detach(struct io *io)
{
	struct io_mem *net = io->net;

	pthread_mutex_lock(&net->lock);
	for (unsigned i = 0; i < IO_MEM_WORKERS; i++) {
		if (net->workers[i] == io)
			net->workers[i] = NULL;
	}
	net->n_workers--;
	while (io->inbox.n)
		give_flight(net, line_take(net, &io->inbox));
	pthread_mutex_unlock(&net->lock);
}

bool io_mem_send(struct io *io, struct frame *frame)
{
	struct io_mem_datagram datagram = {
		.data = frame->data,
		.len = frame->len,
		.port = frame->port,
		.worker_port = io->port,
	};
	struct io_mem *net = io->net;

	if (!frame->len)
		return true;
	if (!net->room || !has_room(net))
		return false;
	if (net->room != UINT32_MAX)
		net->room--;
	memcpy(datagram.ip, frame->ip, sizeof(datagram.ip));
	net->counts.sent++;
	if (net->config.tap)
		net->config.tap(net->config.ctx, &datagram);
	if (happens(net, net->config.refused)) {
		net->counts.refused++;
		io->tx_failed++;
		frame->len = 0;
		return true;
	}
	carry(net, &datagram, false);
	return true;
}

void io_mem_take(struct io *io, struct frame *frame)
{
	int32_t at = line_take(io->net, &io->inbox);
	const struct io_mem_flight *flight = &io->net->flights[at];

	frame->len = flight->len;
	frame->port = flight->port;
	memcpy(frame->ip, flight->ip, sizeof(frame->ip));
	memcpy(frame->data, flight->data, flight->len < FRAME_MAX ? flight->len : FRAME_MAX);
	give_flight(io->net, at);
}
