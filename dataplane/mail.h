#pragma once
// What control and a worker write to each other, through rings with one producer and one consumer:
// commands one way, events and replies the other.

#include <stdint.h>

#include "crypto/hmac.h"
#include "crypto/message.h"
#include "dataplane/dp.h"

enum { MAIL_COMMANDS = 8192, MAIL_EVENTS = 8192, MAIL_REPLIES = 1024 };

enum command_kind {
	COMMAND_PUT_KEY,
	COMMAND_DEL_KEY,
	COMMAND_PUT_ADDRESS,
	COMMAND_DEL_ADDRESS,
	COMMAND_START,
	COMMAND_STOP,
	COMMAND_AF_RATE,
	COMMAND_AF_HOT,
	COMMAND_TUNE,
	COMMAND_TRACE,
	COMMAND_FENCE,
};

struct command {
	enum command_kind kind;
	uint32_t handle; // or the AF's place
	union {
		struct {
			struct hmac_key kakma; // wiped when applied
			uint32_t expiry;
		} key;
		struct dp_address address;
		struct dp_push *push; // to start
		struct {
			uint8_t push_id[MESSAGE_PUSH_ID]; // it may be over and freed by then
			enum dp_state state;
		} stop;
		uint64_t rate;
		bool hot;
		bool on;
		struct dp_tuning tuning;
		uint64_t token;
	};
};

// Of a worker to control: a fence passed, or a part over.
struct worker_event {
	enum dp_event_kind kind;
	uint64_t token;
	struct dp_push *push;
};

struct worker_reply {
	struct dp_push *push;
	uint32_t place;
	uint8_t status;
	uint16_t len;
	uint8_t octets[DP_REPLY_MAX];
};
