#pragma once
// States of the targets of a push by their places in the data plane (dp.h), in the store, in
// chunks. Control thread only.

#include <stddef.h>
#include <stdint.h>

#include "control/push/push_record.h"

struct app;

uint32_t push_place_chunks(uint32_t n_places);
size_t push_place_octets(uint32_t n_places, uint32_t chunk); // of one of them

// States at the last checkpoint laid over `states`: 0, -ENOMEM, -EBADMSG, -EIO.
int push_read_places(struct app *app, const struct push_facts *facts, uint8_t *states,
		     uint32_t n_places);
