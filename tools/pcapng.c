#include "tools/pcapng.h"

#include <assert.h>
#include <string.h>

enum {
	SECTION_HEADER = 0x0a0d0d0a,
	INTERFACE_DESCRIPTION = 1,
	ENHANCED_PACKET = 6,

	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	VERSION_MAJOR = 1,
	VERSION_MINOR = 0,
	NO_SNAP_LENGTH = 0,

	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_USERAPPL = 4, // of the section header
	OPTION_TSRESOL = 9,  // of the interface
	OPTION_FLAGS = 2,    // of a packet

	NANOSECONDS = 9, // if_tsresol: ten to the power of minus this
	FLAG_INBOUND = 1,
	FLAG_OUTBOUND = 2,
};

static uint8_t *put16(uint8_t *to, unsigned value)
{
	*to++ = (uint8_t)value;
	*to++ = (uint8_t)(value >> 8);
	return to;
}

static uint8_t *put32(uint8_t *to, uint32_t value)
{
	return put16(put16(to, value & 0xffff), value >> 16);
}

// Octets and zeros up to a multiple of four.
static uint8_t *put_padded(uint8_t *to, const void *octets, size_t len)
{
	memcpy(to, octets, len);
	to += len;
	for (; len % 4; len++)
		*to++ = 0;
	return to;
}

static uint8_t *put_option(uint8_t *to, unsigned code, const void *value, size_t len)
{
	return put_padded(put16(put16(to, code), (unsigned)len), value, len);
}

static uint8_t *put_text(uint8_t *to, unsigned code, const char *text)
{
	return put_option(to, code, text, strnlen(text, PCAPNG_TEXT_MAX));
}

// ---- Blocks: type and length in front, the length once more behind (3.1)

static uint8_t *block_begin(uint8_t *block, uint32_t type)
{
	return put32(block, type) + 4;
}

static uint8_t *block_end(uint8_t *block, uint8_t *to)
{
	const uint32_t len = (uint32_t)(to + 4 - block);

	put32(block + 4, len);
	return put32(to, len);
}

static uint8_t *put_section(uint8_t *block, const char *application)
{
	uint8_t *to = block_begin(block, SECTION_HEADER);

	to = put32(to, BYTE_ORDER_MAGIC);
	to = put16(put16(to, VERSION_MAJOR), VERSION_MINOR);
	to = put32(put32(to, UINT32_MAX), UINT32_MAX); // its length is not known
	to = put_text(to, OPTION_USERAPPL, application);
	return block_end(block, put_option(to, OPTION_END, "", 0));
}

static uint8_t *put_interface(uint8_t *block)
{
	const uint8_t resolution = NANOSECONDS;
	uint8_t *to = block_begin(block, INTERFACE_DESCRIPTION);

	to = put16(put16(to, PCAPNG_LINKTYPE_RAW), 0);
	to = put32(to, NO_SNAP_LENGTH);
	to = put_option(to, OPTION_TSRESOL, &resolution, 1);
	return block_end(block, put_option(to, OPTION_END, "", 0));
}

size_t pcapng_begin(uint8_t to[PCAPNG_BEGIN_MAX], const char *application)
{
	return (size_t)(put_interface(put_section(to, application)) - to);
}

size_t pcapng_packet(uint8_t block[PCAPNG_PACKET_MAX], const struct pcapng_packet *packet)
{
	const uint8_t flags[4] = {packet->is_inbound ? FLAG_INBOUND : FLAG_OUTBOUND};
	uint8_t *to = block_begin(block, ENHANCED_PACKET);

	assert(packet->len <= PCAPNG_OCTETS_MAX);
	to = put32(to, 0); // the interface
	to = put32(to, (uint32_t)(packet->unix_ns >> 32));
	to = put32(to, (uint32_t)packet->unix_ns);
	to = put32(put32(to, packet->len), packet->len);
	to = put_padded(to, packet->octets, packet->len);
	to = put_option(to, OPTION_FLAGS, flags, sizeof(flags));
	if (packet->comment)
		to = put_text(to, OPTION_COMMENT, packet->comment);
	return (size_t)(block_end(block, put_option(to, OPTION_END, "", 0)) - block);
}
