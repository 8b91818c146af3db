#include "dataplane/io/dpdk/dpdk_telemetry.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <rte_telemetry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dataplane/io/dpdk/dpdk_worker.h"

enum {
	PAGE = 100, // entries in an answer, which DPDK gives 16 KiB
	TRIES = 4,  // to read an entry that is being changed
	PARAMS = 2, // of a command, at most
	DIGITS = 9, // of one
	MAC_TEXT = 18,
	ENTRY_TEXT = INET6_ADDRSTRLEN + MAC_TEXT + 8,
};

// Its commands carry no context of ours.
static struct {
	pthread_mutex_t lock;
	const struct io *io[DPDK_WORKERS_MAX];
	unsigned n;
	bool has_commands; // control thread only
} joined = {.lock = PTHREAD_MUTEX_INITIALIZER};

// ---- Parameters

struct params {
	unsigned n;
	unsigned at[PARAMS];
};

// A number of decimal digits; where it ends, NULL: it is none.
static const char *read_number(const char *text, unsigned *number)
{
	const size_t len = strspn(text, "0123456789");

	*number = 0;
	for (size_t i = 0; len <= DIGITS && i < len; i++)
		*number = *number * 10 + (unsigned)(text[i] - '0');
	return len && len <= DIGITS ? text + len : NULL;
}

// Numbers with commas between them; false: something else, or too many.
static bool read_params(const char *text, struct params *params)
{
	params->n = 0;
	while (text && params->n < PARAMS) {
		text = read_number(text, &params->at[params->n++]);
		if (!text || !*text)
			return text;
		text = *text == ',' ? text + 1 : NULL;
	}
	return false;
}

// ---- Answers. DPDK's functions fail when an answer is full, which these are not.

static int refuse(struct rte_tel_data *answer, const char *why)
{
	rte_tel_data_start_dict(answer);
	rte_tel_data_add_dict_string(answer, "error", why);
	return 0;
}

static void mac_text(char text[MAC_TEXT], const uint8_t mac[PACKET_MAC])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
}

static int answer_ports(struct rte_tel_data *answer)
{
	rte_tel_data_start_array(answer, RTE_TEL_STRING_VAL);
	for (unsigned p = 0; joined.n && p < joined.io[0]->plane->n_ports; p++) {
		struct port_status status;

		dpdk_port_status(&joined.io[0]->plane->port[p], &status);
		rte_tel_data_add_array_string(answer, status.name);
	}
	return 0;
}

// The sum of all workers', or of the one with that number. False: it is not there.
static bool add_counts(const struct params *params, uint64_t sum[PORT_COUNT_COUNT])
{
	bool is_there = false;

	for (unsigned w = 0; w < joined.n; w++) {
		const struct dpdk_counts *const counts = &joined.io[w]->counts[params->at[0]];

		if (params->n > 1 && joined.io[w]->queue != params->at[1])
			continue;
		is_there = true;
		for (unsigned i = 0; i < PORT_COUNT_COUNT; i++)
			sum[i] += atomic_load_explicit(&counts->n[i], memory_order_relaxed);
	}
	return is_there;
}

static void add_status(const struct dpdk_port *port, const struct port_status *status,
		       struct rte_tel_data *answer)
{
	char mac[MAC_TEXT];

	mac_text(mac, status->mac);
	rte_tel_data_add_dict_string(answer, "name", status->name);
	rte_tel_data_add_dict_string(answer, "mac", mac);
	rte_tel_data_add_dict_string(answer, "link", status->link_up ? "up" : "down");
	rte_tel_data_add_dict_u64(answer, "mbps", status->mbps);
	rte_tel_data_add_dict_u64(answer, "mtu", port->mtu);
	rte_tel_data_add_dict_string(answer, "steering", port_steering_texts[status->steering]);
}

static int answer_port(const struct params *params, struct rte_tel_data *answer)
{
	const struct dpdk_port *const port = &joined.io[0]->plane->port[params->at[0]];
	uint64_t counts[PORT_COUNT_COUNT] = {0};
	struct port_status status;

	if (!add_counts(params, counts))
		return refuse(answer, "there is no such worker");
	rte_tel_data_start_dict(answer);
	dpdk_port_status(port, &status);
	if (params->n == 1)
		add_status(port, &status, answer);
	for (unsigned i = 0; i < PORT_COUNT_COUNT; i++)
		rte_tel_data_add_dict_u64(answer, port_texts[i].metric, counts[i]);
	for (unsigned i = 0; params->n == 1 && i < PORT_DEVICE_COUNT_COUNT; i++)
		rte_tel_data_add_dict_u64(answer, port_device_texts[i].metric, status.device[i]);
	return 0;
}

// ---- Neighbours

static bool read_entry(const struct neighbours *all, unsigned at, struct neighbour_copy *copy)
{
	for (unsigned i = 0; i < TRIES; i++) {
		if (neighbour_read(all, at, copy))
			return copy->state != NEIGHBOUR_NONE;
	}
	return false;
}

// "fd00::2 known 02:00:00:00:00:02"
static void add_entry(const struct neighbour_copy *copy, struct rte_tel_data *list)
{
	static const char *const states[] = {[NEIGHBOUR_ASKED] = "asked",
					     [NEIGHBOUR_KNOWN] = "known",
					     [NEIGHBOUR_GONE] = "gone"};
	const bool is_ipv6 = packet_is_ipv6(copy->ip), is_known = copy->state == NEIGHBOUR_KNOWN;
	char ip[INET6_ADDRSTRLEN], mac[MAC_TEXT], text[ENTRY_TEXT];

	inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, copy->ip + (is_ipv6 ? 0 : PACKET_IPV4_IN_IP), ip,
		  sizeof(ip));
	mac_text(mac, copy->mac);
	snprintf(text, sizeof(text), "%s %s%s%s", ip, states[copy->state], is_known ? " " : "",
		 is_known ? mac : "");
	rte_tel_data_add_array_string(list, text);
}

static int answer_neighbours(const struct params *params, struct rte_tel_data *answer)
{
	const struct host *const host = &joined.io[0]->plane->port[params->at[0]].host;
	struct rte_tel_data *const list = rte_tel_data_alloc();
	unsigned i = params->n > 1 ? params->at[1] : 0, n = 0;
	struct neighbour_copy copy;

	if (!list)
		return refuse(answer, "out of memory");
	rte_tel_data_start_array(list, RTE_TEL_STRING_VAL);
	for (; i < NEIGHBOURS_MAX && n < PAGE; i++) {
		if (!read_entry(&host->neighbours, i, &copy))
			continue;
		add_entry(&copy, list);
		n++;
	}
	rte_tel_data_start_dict(answer);
	rte_tel_data_add_dict_container(answer, "entries", list, 0); // DPDK frees it
	if (i < NEIGHBOURS_MAX)
		rte_tel_data_add_dict_u64(answer, "next", i);
	return 0;
}

// ---- Commands

static int answer_of_port(const char *text, struct rte_tel_data *answer,
			  int (*tell)(const struct params *, struct rte_tel_data *))
{
	struct params params;
	int status;

	if (!read_params(text, &params))
		return refuse(answer, "wanted: the number of a port, and perhaps another one");
	pthread_mutex_lock(&joined.lock);
	if (joined.n && params.at[0] < joined.io[0]->plane->n_ports)
		status = tell(&params, answer);
	else
		status = refuse(answer, "there is no such port");
	pthread_mutex_unlock(&joined.lock);
	return status;
}

static int on_ports(const char *command, const char *text, struct rte_tel_data *answer)
{
	int status;

	(void)command;
	if (text)
		return refuse(answer, "wanted: no parameters");
	pthread_mutex_lock(&joined.lock);
	status = answer_ports(answer);
	pthread_mutex_unlock(&joined.lock);
	return status;
}

static int on_port(const char *command, const char *text, struct rte_tel_data *answer)
{
	(void)command;
	return answer_of_port(text, answer, answer_port);
}

static int on_neighbours(const char *command, const char *text, struct rte_tel_data *answer)
{
	(void)command;
	return answer_of_port(text, answer, answer_neighbours);
}

static void register_commands(void)
{
	static const struct {
		const char *command;
		telemetry_cb on;
		const char *help; // 63 characters at most
	} commands[] = {
		{"/akmapush/ports", on_ports, "Names of the ports of akmapush. No parameters"},
		{"/akmapush/port", on_port, "Link and counters. Parameters: port[,worker]"},
		{"/akmapush/neighbours", on_neighbours, "Next hops. Parameters: port[,from]"},
	};

	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (rte_telemetry_register_cmd(commands[i].command, commands[i].on,
					       commands[i].help))
			log_warn("dpdk", "no room for the command %s of telemetry",
				 commands[i].command);
	}
}

void dpdk_telemetry_join(const struct io *io)
{
	if (!joined.has_commands)
		register_commands();
	joined.has_commands = true;
	pthread_mutex_lock(&joined.lock);
	joined.io[joined.n++] = io;
	pthread_mutex_unlock(&joined.lock);
}

void dpdk_telemetry_leave(const struct io *io)
{
	pthread_mutex_lock(&joined.lock);
	for (unsigned i = 0; i < joined.n; i++) {
		if (joined.io[i] == io)
			joined.io[i--] = joined.io[--joined.n];
	}
	pthread_mutex_unlock(&joined.lock);
}
