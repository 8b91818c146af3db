#pragma once
// The outcome of one datagram or target, as a counted reason: the one list that makes enum, text
// and metric (akmapush_<name>_total).

#define REASONS(X)                                                                                 \
	X(SENT, "sent", "datagrams handed to the back end")                                        \
	X(SENT_AGAIN, "sent_again", "of these: repetitions for a target")                          \
	X(TX_HELD, "tx_held", "datagrams the back end did not take yet; they are built again")     \
	X(TX_FAILED, "tx_failed",                                                                  \
	  "datagrams the network refused; they were not sent, the next lap repeats them")          \
	X(TX_NO_BUFFER, "tx_no_buffer", "bursts put off: the back end had no buffer")              \
	X(TX_NO_ROUTE, "tx_no_route", "of the datagrams refused: no way to the UE's address")      \
	X(TX_NO_CONTEXT, "tx_no_context", "targets passed over: no key")                           \
	X(TX_NO_ADDRESS, "tx_no_address", "targets passed over: no address")                       \
	X(TX_KEY_EXPIRED, "tx_key_expired", "targets passed over: K_AF lifetime over")             \
	X(RX, "rx", "datagrams received")                                                          \
	X(RX_SHORT, "rx_short", "dropped: below 48 or above 1232 octets")                          \
	X(RX_HEADER, "rx_header", "dropped: version, type, suite, flags, segment or status")       \
	X(RX_UNKNOWN_PUSH, "rx_unknown_push", "dropped: no such push is running")                  \
	X(RX_SUITE, "rx_suite", "dropped: not the suite of the push")                              \
	X(RX_REF, "rx_ref", "dropped: ref is not of the list")                                     \
	X(RX_OTHER_WORKER, "rx_other_worker", "dropped: the target is another worker's")           \
	X(RX_FINAL, "rx_final",                                                                    \
	  "ignored: the target is final, or was received before it was too old")                   \
	X(RX_NO_CONTEXT, "rx_no_context", "dropped: the UE has no key now")                        \
	X(RX_TAG, "rx_tag", "dropped: the tag does not verify")                                    \
	X(RX_REPLY_HELD, "rx_reply_held", "dropped for now: control is behind with replies")       \
	X(ACK_RECEIVED, "ack_received", "acknowledgements: status 0")                              \
	X(ACK_DELIVERED, "ack_delivered", "acknowledgements: status 1")                            \
	X(ACK_REFUSED, "ack_refused", "acknowledgements: status 2")                                \
	X(ACK_TOO_OLD, "ack_too_old", "acknowledgements: status 3")                                \
	X(KAF_CACHED, "kaf_cached", "K_AFs of hot AFs that were in the cache")                     \
	X(KAF_MISSED, "kaf_missed", "K_AFs of hot AFs that were not, and were derived")            \
	X(DUE_AT_ONCE, "due_at_once", "targets made due by a new key or address")                  \
	X(DUE_HELD, "due_held",                                                                    \
	  "new keys or addresses that some lists left to their next lap: too many at once")        \
	X(TRACE_LOST, "trace_lost", "datagrams of traced UEs that their trace had no room for")

enum reason {
#define X(name, metric, help) REASON_##name,
	REASONS(X)
#undef X
		REASON_COUNT,
};

struct reason_text {
	const char *metric;
	const char *help;
};
extern const struct reason_text reason_texts[REASON_COUNT];
