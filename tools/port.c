#include "tools/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"

static int wrong(const char *option, const char *value, const char *what)
{
	fprintf(stderr, "--%s: \"%s\": %s\n", option, value, what);
	return -EINVAL;
}

static int fill_addresses(const struct arg_texts *texts, struct host_config *host)
{
	if (texts->n == 0)
		return wrong("dpdk", "", "--address is needed too: 10.0.0.2/24, say");
	if (texts->n > HOST_ADDRESSES_MAX)
		return wrong("address", texts->text[HOST_ADDRESSES_MAX], "too many");
	for (unsigned i = 0; i < texts->n; i++) {
		struct host_address *const address = &host->address[host->n_addresses++];

		if (!address_network_parse(texts->text[i], address->ip, &address->prefix))
			return wrong("address", texts->text[i],
				     "no address with its prefix, as 10.0.0.2/24");
	}
	return 0;
}

static int fill_gateways(const struct arg_texts *texts, struct host_config *host)
{
	for (unsigned i = 0; i < texts->n; i++) {
		uint8_t ip[ADDRESS];
		const unsigned bits = address_parse(texts->text[i], ip);
		const bool is_ipv6 = bits == ADDRESS_BITS;

		if (!bits || host->has_gateway[is_ipv6])
			return wrong("gateway", texts->text[i],
				     "no address, or the second of its family");
		memcpy(host->gateway[is_ipv6], ip, sizeof(ip));
		host->has_gateway[is_ipv6] = true;
	}
	return 0;
}

static int fill_arguments(struct port_options *options, struct io_dpdk_config *config)
{
	char *rest = options->eal_text;

	if (!options->eal)
		return 0;
	if (strlen(options->eal) >= sizeof(options->eal_text))
		return wrong("eal", options->eal, "too long");
	strcpy(options->eal_text, options->eal);
	for (char *word = strtok_r(rest, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (config->n_args == IO_DPDK_ARGS_MAX)
			return wrong("eal", word, "too many arguments");
		config->arg[config->n_args++] = word;
	}
	return 0;
}

int port_config(struct port_options *options, unsigned threads, struct io_dpdk_config *config)
{
	struct io_dpdk_port *const port = &config->port[0];
	int r;

	*config = (struct io_dpdk_config){.n_ports = 1, .n_workers = threads};
	port->device = options->device;
	port->udp_checksum = true;
	r = fill_addresses(&options->addresses, &port->host);
	if (r == 0)
		r = fill_gateways(&options->gateways, &port->host);
	return r ? r : fill_arguments(options, config);
}
