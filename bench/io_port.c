#include "bench/io_port.h"

#include <string.h>

enum { OVERHEAD = 48, PORT = 48470 };

static const uint8_t gateway[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2};
static const uint8_t gateway_mac[PACKET_MAC] = {0x02, [5] = 0x02};

void io_port_init(struct io_dpdk_config *config, const char *device, unsigned queues)
{
	struct host_config *const host = &config->port[0].host;

	*config = (struct io_dpdk_config){
		.arg = {"--no-telemetry"}, .n_args = 1, .n_ports = 1, .n_workers = queues};
	config->port[0].device = device ? device : "net_null0,no-rx=1";
	memcpy(host->address[0].ip, gateway, sizeof(gateway));
	host->address[0].ip[15] = 1;
	host->address[0].prefix = 120;
	host->n_addresses = 1;
	memcpy(host->gateway[0], gateway, sizeof(gateway));
	host->has_gateway[0] = true;
	memcpy(host->neighbour[0].ip, gateway, sizeof(gateway));
	memcpy(host->neighbour[0].mac, gateway_mac, sizeof(gateway_mac));
	host->n_neighbours = 1;
}

void io_port_sink(struct io_sink *sink, const struct bench_options *options,
		  struct io_dpdk_config *ports)
{
	const unsigned n = options->destinations;

	*sink = (struct io_sink){
		.fd = -1,
		.port = PORT,
		.destinations = n,
		.round = n < IO_ROUND ? n : IO_ROUND,
		.payload = options->payload,
		.len = OVERHEAD + options->payload,
		.io_arg = ports,
	};
}
