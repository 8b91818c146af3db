#pragma once
// What is known of a port of a back end that has some: what the workers count there, what its
// device counts, how its link stands. The two lists make enum, text and metric
// (akmapush_port_<name>_total).

#include <stdbool.h>
#include <stdint.h>

// By worker.
#define PORT_COUNTS(X)                                                                             \
	X(TX, "tx", "frames given to the port")                                                    \
	X(TX_FULL, "tx_full", "frames its ring had no room for; they are built again")             \
	X(TX_HELD, "tx_held", "frames held until their next hop is known")                         \
	X(TX_HELD_LOST, "tx_held_lost",                                                            \
	  "of these: dropped, it did not answer in time, or they were not to leave any more")      \
	X(TX_NO_HOP, "tx_no_hop",                                                                  \
	  "frames not sent: their next hop does not answer, or no room to hold them")              \
	X(TX_NO_LINK, "tx_no_link",                                                                \
	  "bursts put off while no link is up, frames not sent while theirs is down")              \
	X(RX, "rx", "frames received")                                                             \
	X(RX_UDP, "rx_udp", "of these: datagrams for the worker that took them")                   \
	X(RX_OTHER_WORKER, "rx_other_worker", "of these: handed to the worker they are for")       \
	X(RX_HOST, "rx_host", "of these: ARP, neighbour discovery and ICMP")                       \
	X(RX_LOST, "rx_lost", "dropped: the ring to another worker or the host was full")          \
	X(RX_STRANGER, "rx_stranger", "dropped: another address or UDP port")                      \
	X(RX_PROTOCOL, "rx_protocol", "dropped: another protocol, or IPv6 extension headers")      \
	X(RX_VLAN, "rx_vlan", "dropped: another VLAN")                                             \
	X(RX_SHORT, "rx_short", "dropped: ends within a header")                                   \
	X(RX_LENGTHS, "rx_lengths", "dropped: lengths contradict each other or the frame")         \
	X(RX_FRAGMENT, "rx_fragment", "dropped: a part of a datagram")                             \
	X(RX_IP_CHECKSUM, "rx_ip_checksum", "dropped: checksum of IPv4")                           \
	X(RX_CHECKSUM, "rx_checksum", "dropped: checksum of UDP or ICMP")                          \
	X(RX_ADDRESS, "rx_address", "dropped: a source that no host has, or port 0")

enum port_count {
#define X(name, metric, help) PORT_##name,
	PORT_COUNTS(X)
#undef X
		PORT_COUNT_COUNT,
};

// By the device and its driver, for all workers; drivers without hardware leave some at 0.
#define PORT_DEVICE_COUNTS(X)                                                                      \
	X(RX_FRAMES, "device_rx", "frames its device received")                                    \
	X(TX_FRAMES, "device_tx", "frames its device sent")                                        \
	X(RX_OCTETS, "device_rx_octets", "octets its device received")                             \
	X(TX_OCTETS, "device_tx_octets", "octets its device sent")                                 \
	X(RX_MISSED, "device_rx_missed", "frames lost: workers did not take them in time")         \
	X(RX_ERRORS, "device_rx_errors", "frames its device found wrong")                          \
	X(TX_ERRORS, "device_tx_errors", "frames its device failed to send")                       \
	X(NO_BUFFER, "device_rx_no_buffer", "frames lost: the pool of buffers was empty")

enum port_device_count {
#define X(name, metric, help) PORT_DEVICE_##name,
	PORT_DEVICE_COUNTS(X)
#undef X
		PORT_DEVICE_COUNT_COUNT,
};

struct port_text {
	const char *metric;
	const char *help;
};
extern const struct port_text port_texts[PORT_COUNT_COUNT];
extern const struct port_text port_device_texts[PORT_DEVICE_COUNT_COUNT];

// How a port brings datagrams to the worker whose UDP port they are for.
enum port_steering {
	PORT_STEERING_NONE,  // "none": it has one receive queue
	PORT_STEERING_RSS,   // "rss": by its hash to any queue, and workers hand over
	PORT_STEERING_RULES, // "rules": by rules that its device keeps
	PORT_STEERING_COUNT,
};
extern const char *const port_steering_texts[PORT_STEERING_COUNT];

enum { PORT_NAME_MAX = 127 };

struct port_status {
	char name[PORT_NAME_MAX + 1]; // of its device, without arguments
	uint8_t mac[6];
	bool link_up;
	uint32_t mbps; // 0: not known
	enum port_steering steering;
	uint64_t device[PORT_DEVICE_COUNT_COUNT];
};
