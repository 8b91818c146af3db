#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t uint_write(char *text, uint64_t n)
{
	char digits[TEXT_UINT_MAX];
	size_t len = 0;

	do {
		digits[len++] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	for (size_t i = 0; i < len; i++)
		text[i] = digits[len - 1 - i];
	text[len] = 0;
	return len;
}

void hex_write(char *text, const void *octets, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = octets;

	for (size_t i = 0; i < n; i++) {
		*text++ = digits[b[i] >> 4];
		*text++ = digits[b[i] & 15];
	}
	*text = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_parse(const char *text, size_t text_len, void *octets, size_t n)
{
	uint8_t *b = octets;

	if (text_len != 2 * n)
		return -EBADMSG;
	for (size_t i = 0; i < text_len; i++) {
		if (hex_digit(text[i]) < 0)
			return -EBADMSG;
	}
	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return 0;
}

size_t base64_len(size_t n)
{
	return (n + 2) / 3 * 4;
}

void base64_write(char *text, const void *octets, size_t n)
{
	const uint8_t *b = octets;

	for (; n >= 3; n -= 3, b += 3, text += 4) {
		text[0] = base64_digits[b[0] >> 2];
		text[1] = base64_digits[(b[0] & 3) << 4 | b[1] >> 4];
		text[2] = base64_digits[(b[1] & 15) << 2 | b[2] >> 6];
		text[3] = base64_digits[b[2] & 63];
	}
	if (n) {
		uint8_t second = n > 1 ? b[1] : 0;

		text[0] = base64_digits[b[0] >> 2];
		text[1] = base64_digits[(b[0] & 3) << 4 | second >> 4];
		text[2] = n > 1 ? base64_digits[(second & 15) << 2] : '=';
		text[3] = '=';
		text += 4;
	}
	*text = 0;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// The octets that a well-formed text of this length and padding stands for, or -EBADMSG.
static ssize_t base64_octets(const char *text, size_t len)
{
	size_t pad = 0;

	if (len % 4)
		return -EBADMSG;
	if (len && text[len - 1] == '=')
		pad = text[len - 2] == '=' ? 2 : 1;
	for (size_t i = 0; i < len - pad; i++) {
		if (base64_digit(text[i]) < 0)
			return -EBADMSG;
	}
	if ((pad == 1 && base64_digit(text[len - 2]) & 3) ||
	    (pad == 2 && base64_digit(text[len - 3]) & 15))
		return -EBADMSG; // bits that stand for nothing
	return (ssize_t)(len / 4 * 3 - pad);
}

ssize_t base64_parse(const char *text, size_t text_len, void *octets, size_t max)
{
	ssize_t n = base64_octets(text, text_len);
	uint8_t *b = octets;
	uint32_t bits = 0;

	if (n < 0)
		return n;
	if ((size_t)n > max)
		return -EMSGSIZE;
	for (size_t i = 0, out = 0; out < (size_t)n; i++) {
		bits = bits << 6 | (uint32_t)(text[i] == '=' ? 0 : base64_digit(text[i]));
		if (i % 4 > 0)
			b[out++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	return n;
}

void list_add(char *list, size_t size, const char *word)
{
	const size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? ", " : "", word);
}
