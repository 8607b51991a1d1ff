/* SPDX-License-Identifier: BSD-2-Clause */
/* What a finding's groups are called, and how a filter asks for one. */
#include "sink/facet.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/pathname.h"

#define HOST_MAX 72

/* Lower case, as names are compared (RFC 9110 4.2.3), without the usual port. */
static size_t put_host(char *out, size_t cap, const char *host)
{
	size_t len = strlen(host), n = 0;

	if (len > 3 && !strcmp(host + len - 3, ":80"))
		len -= 3;
	else if (len > 4 && !strcmp(host + len - 4, ":443"))
		len -= 4;
	if (len && host[len - 1] == '.')
		len--;
	for (size_t i = 0; i < len && n + 4 < min_size(cap, HOST_MAX); i++) {
		unsigned char c = (unsigned char)host[i];

		if (c > ' ' && c < 0x7f && c != '"' && c != '\\')
			out[n++] = (char)tolower(c);
		else
			n += (size_t)snprintf(out + n, cap - n, "%%%02X", c);
	}
	out[n] = '\0';
	return n;
}

static void endpoint_label(char *out, size_t cap, const struct finding *f)
{
	char path[PATHNAME_MAX];
	size_t n;

	if (!f->target[0]) {
		snprintf(out, cap, "(request not seen)");
		return;
	}
	n = put_host(out, cap, f->host);
	pathname_fold(path, sizeof(path), f->target);
	snprintf(out + n, cap - n, "%s", path);
}

static bool is_v4(const struct w5_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a->ip, mapped, sizeof(mapped));
}

/* IPv4 /24 and IPv6 /64: what one customer, one office or one NAT mostly has. */
static void client_label(char *out, size_t cap, const struct finding *f)
{
	char addr[TEXT_ADDR_MAX];
	struct w5_addr net = f->down.remote;
	bool v4 = is_v4(&net);

	if (!finding_has_client(f)) {
		snprintf(out, cap, "(not logged)");
		return;
	}
	memset(net.ip + (v4 ? 15 : 8), 0, v4 ? 1 : 8);
	text_addr(addr, sizeof(addr), &net);
	snprintf(out, cap, "%s/%d", addr, v4 ? 24 : 64);
}

static void gateway_label(char *out, size_t cap, const struct finding *f)
{
	char name[4 * sizeof(f->gateway_name)];

	text_escape(name, sizeof(name), f->gateway_name, strlen(f->gateway_name));
	if (!f->down.tgid)
		snprintf(out, cap, "%s (process not known)", name);
	else if (f->gateway_group && f->gateway_group != f->down.tgid)
		snprintf(out, cap, "%s/%u worker %u", name, f->gateway_group, f->down.tgid);
	else
		snprintf(out, cap, "%s/%u", name, f->down.tgid);
}

void facet_label(char *out, size_t cap, enum facet facet, const struct finding *f)
{
	static void (*const label[FACET_MAX])(char *, size_t, const struct finding *) = {
		[FACET_ENDPOINT] = endpoint_label,
		[FACET_CLIENT] = client_label,
		[FACET_GATEWAY] = gateway_label,
	};

	label[facet](out, cap, f);
}

void facet_row_text(char *out, size_t cap, enum facet facet, const struct facet_row *row)
{
	char addr[TEXT_ADDR_MAX];

	if (facet == FACET_CLIENT && row->exact) {
		text_addr(addr, sizeof(addr), &row->ip);
		snprintf(out, cap, "%s", addr);
		return;
	}
	snprintf(out, cap, "%s", row->label);
}

void facet_row_filter(char *out, size_t cap, enum facet facet, const struct facet_row *row)
{
	if (facet == FACET_GATEWAY)
		snprintf(out, cap, "pid==%u", row->tgid);
	else
		snprintf(out, cap, "%s==\"%s\"", facet == FACET_CLIENT ? "network" : "endpoint",
			 row->label);
}
