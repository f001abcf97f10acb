/* GNU oSIP: parse a SIP message and read what an NG command needs. */
#include <osipparser2/osip_parser.h>
#include <string.h>

#include "timing.h"

static const char *bytes;
static size_t length;

static int work(void)
{
	osip_message_t *message;
	osip_generic_param_t *tag = NULL, *branch = NULL;
	osip_via_t *via = NULL;
	osip_body_t *body = NULL;

	if (osip_message_init(&message))
		return 1;
	int failed = osip_message_parse(message, bytes, length);
	if (!failed) {
		osip_from_get_tag(message->from, &tag);
		osip_message_get_via(message, 0, &via);
		if (via)
			osip_via_param_get_byname(via, "branch", &branch);
		osip_message_get_body(message, 0, &body);
		failed = !osip_message_get_call_id(message) || !tag || !branch || !body;
	}
	osip_message_free(message);
	return failed;
}

int main(int argc, char **argv)
{
	(void)argc;
	parser_init();
	bytes = read_file(argv[1], &length);
	return run("libosip2: parse", work);
}
