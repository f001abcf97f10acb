/* libre: parse a SIP message and read what an NG command needs. */
/* The headers of libre are told by its build what the system has. */
#define HAVE_INTTYPES_H
#define HAVE_STDBOOL_H
#include <re.h>

#include "timing.h"

static const char *bytes;
static size_t length;
static struct mbuf *buffer;

static int work(void)
{
	struct sip_msg *message = NULL;

	buffer->pos = 0;
	if (sip_msg_decode(&message, buffer))
		return 1;
	int failed = !pl_isset(&message->callid) || !pl_isset(&message->from.tag) ||
		     !pl_isset(&message->via.branch) || !message->clen.l;
	mem_deref(message);
	return failed;
}

int main(int argc, char **argv)
{
	(void)argc;
	bytes = read_file(argv[1], &length);
	buffer = mbuf_alloc(length);
	mbuf_write_mem(buffer, (const uint8_t *)bytes, length);
	buffer->end = length;
	int failed = run("libre: parse", work);
	mem_deref(buffer);
	return failed;
}
