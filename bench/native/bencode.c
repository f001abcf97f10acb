/* Bencode by hand: the dictionary of an offer written, and the SDP of a reply found. What C costs with nothing around it. */
#include <string.h>

#include "timing.h"

static const char *bytes;
static size_t length;
static char out[65536];

static char *text(char *p, const char *from, size_t size)
{
	char digits[20];
	int count = 0;
	size_t rest = size;
	do
		digits[count++] = '0' + rest % 10;
	while (rest /= 10);
	while (count)
		*p++ = digits[--count];
	*p++ = ':';
	memcpy(p, from, size);
	return p + size;
}

#define PAIR(key, value, size) p = text(text(p, key, sizeof key - 1), value, size)
#define WORD(key, value) PAIR(key, value, sizeof value - 1)

static int encode(void)
{
	char *p = out;
	*p++ = 'd';
	PAIR("sdp", bytes, length);
	WORD("call-id", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6@192.0.2.7");
	p = text(p, "received-from", 13);
	*p++ = 'l';
	p = text(text(p, "IP4", 3), "192.0.2.7", 9);
	*p++ = 'e';
	WORD("from-tag", "a73kszlfl-1928301774");
	WORD("command", "offer");
	*p++ = 'e';
	__asm__ volatile("" : : "g"(out) : "memory");
	return p - out < (long)length;
}

static char reply[65536];
static size_t reply_length;

/* Every string of a flat dictionary is visited; a reply that is cut short is refused. */
static int decode(void)
{
	const char *p = reply + 1, *end = reply + reply_length, *key = NULL, *sdp = NULL;
	size_t key_size = 0;
	while (p < end && *p != 'e') {
		size_t size = 0;
		while (p < end && *p >= '0' && *p <= '9')
			size = size * 10 + (*p++ - '0');
		if (p >= end || *p++ != ':' || size > (size_t)(end - p))
			return 1;
		if (!key) {
			key = p;
			key_size = size;
		} else {
			if (key_size == 3 && !memcmp(key, "sdp", 3))
				sdp = p;
			key = NULL;
		}
		p += size;
	}
	__asm__ volatile("" : : "g"(sdp) : "memory");
	return !sdp || p != end - 1;
}

int main(int argc, char **argv)
{
	(void)argc;
	bytes = read_file(argv[1], &length);
	const char *body = strstr(bytes, "\r\n\r\n");
	if (!body)
		return 1;
	length -= body + 4 - bytes;
	bytes = body + 4;
	char *p = reply;
	*p++ = 'd';
	PAIR("sdp", bytes, length);
	WORD("result", "ok");
	*p++ = 'e';
	reply_length = p - reply;
	return run("C by hand: encode an offer", encode) || run("C by hand: decode a reply", decode);
}
