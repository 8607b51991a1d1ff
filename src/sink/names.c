/* SPDX-License-Identifier: BSD-2-Clause */
/* See names.h. */
#include "sink/names.h"

#include "base/util.h"

static const char *const ends[] = {
	[W5_END_NONE] = "",	       /* nothing ended */
	[W5_END_FIN_IN] = "fin",       /* the peer closed */
	[W5_END_RST_IN] = "rst",       /* the peer, or somebody in its name, reset */
	[W5_END_FIN_OUT] = "fin-sent", /* the gateway closed */
	[W5_END_RST_OUT] = "rst-sent", /* the gateway reset */
	[W5_END_SK_ERR] = "error",     /* the kernel gave up */
	[W5_END_CONNECT] = "connect",  /* connect did not succeed */
};
_Static_assert(ARRAY_SIZE(ends) == W5_END_MAX, "every end has its name");

struct loss_row {
	const char *name, *what, *help;
};

static const struct loss_row losses[] = {
#define X(id, name, what, help) [W5_LOSS_##id] = { name, what, help },
	W5_LOSSES(X)
#undef X
};
_Static_assert(ARRAY_SIZE(losses) == W5_LOSS_MAX, "every loss has its row");

const char *end_name(unsigned int end)
{
	return end < W5_END_MAX ? ends[end] : "";
}

const char *loss_name(unsigned int loss)
{
	return loss < W5_LOSS_MAX ? losses[loss].name : "";
}

const char *loss_what(unsigned int loss)
{
	return loss < W5_LOSS_MAX ? losses[loss].what : "";
}

const char *loss_help(unsigned int loss)
{
	return loss < W5_LOSS_MAX ? losses[loss].help : "";
}
