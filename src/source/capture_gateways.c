/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides who is a gateway, from what capture_scan.c saw or from what was given. Services and
 * sources that go together are one gateway, with one number.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "base/util.h"
#include "source/capture_scan.h"

/* Of an address that is seen behind a service so much less often than another, the few times
 * are chance: others ask for "/", too. */
#define CHANCE_PART 5

int capture_gateway_parse(struct capture_gateway *out, const char *arg)
{
	struct capture_gateway g = { 0 };
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(arg, ':'), *port = NULL;
	size_t n = strlen(arg);
	uint64_t v;

	if (arg[0] == '[') {
		const char *end = strchr(arg, ']');

		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		port = end[1] ? end + 2 : NULL;
		arg++;
		n = (size_t)(end - arg);
	} else if (colon && colon == strchr(arg, ':')) {
		port = colon + 1;
		n = (size_t)(colon - arg);
	}
	if (!n || n >= sizeof(host))
		return -EINVAL;
	memcpy(host, arg, n);
	host[n] = '\0';
	if (inet_pton(AF_INET, host, g.ip.ip + 12) == 1)
		g.ip.ip[10] = g.ip.ip[11] = 0xff;
	else if (inet_pton(AF_INET6, host, g.ip.ip) != 1)
		return -EINVAL;
	if (port) {
		if (parse_digits(port, port + strlen(port), &v) || !v || v > 65535)
			return -EINVAL;
		g.port = (uint16_t)v;
	}
	*out = g;
	return 0;
}

int capture_service_gw(const struct capture *c, const struct w5_addr *ip, uint16_t port)
{
	for (size_t i = 0; i < c->nservices; i++)
		if (c->services[i].port == port && capture_same_ip(&c->services[i].ip, ip))
			return c->services[i].gw;
	return -1;
}

int capture_source_gw(const struct capture *c, const struct w5_addr *ip)
{
	for (size_t i = 0; i < c->nsources; i++)
		if (capture_same_ip(&c->sources[i].ip, ip))
			return c->sources[i].gw;
	return -1;
}

static void join(struct capture *c, int from, int to)
{
	for (size_t i = 0; i < c->nservices; i++)
		if (c->services[i].gw == from)
			c->services[i].gw = to;
	for (size_t i = 0; i < c->nsources; i++)
		if (c->sources[i].gw == from)
			c->sources[i].gw = to;
}

static void add_source(struct capture *c, const struct w5_addr *ip, int gw)
{
	int known = capture_source_gw(c, ip);

	if (known >= 0) {
		join(c, known, gw);
	} else if (c->nsources < SOURCES_MAX) {
		c->sources[c->nsources++] = (struct source){ .ip = *ip, .gw = gw };
	}
}

static int add_service(struct capture *c, const struct svc *v, int gw)
{
	if (c->nservices == SERVICES_MAX)
		return -1;
	c->services[c->nservices++] = (struct service){ .ip = v->ip, .port = v->port, .gw = gw };
	return gw;
}

/* Numbers without holes, in the order of the services. */
static void renumber(struct capture *c)
{
	for (size_t i = 0; i < c->nservices; i++) {
		int old = c->services[i].gw;

		if (old < SERVICES_MAX) {
			join(c, old, SERVICES_MAX + (int)c->ngws);
			c->ngws++;
		}
	}
	for (size_t i = 0; i < c->nservices; i++)
		c->services[i].gw -= SERVICES_MAX;
	for (size_t i = 0; i < c->nsources; i++)
		c->sources[i].gw -= SERVICES_MAX;
}

/* ---- found ---- */

static bool by_target(const struct scan *s, const struct svc *v, const struct svc_link *l)
{
	uint64_t most = 0;

	(void)s;
	for (size_t i = 0; i < v->nlinks; i++)
		most = max_u64(most, v->links[i].nested);
	return l->nested && l->nested * CHANCE_PART >= most;
}

static bool by_time(const struct scan *s, const struct svc *v, const struct svc_link *l)
{
	/* whoever is seen to ask for something would ask for the same */
	if (hash_find(&s->askers, capture_server_key(&l->ip, 0)))
		return false;
	return v->bad && l->opened * 2 >= v->bad;
}

/* Where every connect fails no request is seen on the other leg: then times must do. */
static void found(struct capture *c, const struct svc *v,
		  bool (*fits)(const struct scan *s, const struct svc *v, const struct svc_link *l),
		  bool own_conns)
{
	bool is_one = own_conns && v->opens;
	int gw;

	for (size_t i = 0; i < v->nlinks; i++)
		is_one = is_one || fits(c->scan, v, &v->links[i]);
	gw = is_one ? add_service(c, v, (int)c->nservices) : -1;
	if (gw < 0)
		return;
	for (size_t i = 0; i < v->nlinks; i++)
		if (fits(c->scan, v, &v->links[i])) {
			add_source(c, &v->links[i].ip, gw);
			gw = c->services[c->nservices - 1].gw;
		}
	if (own_conns && v->opens)
		add_source(c, &v->ip, gw);
}

static void found_all(struct capture *c)
{
	for (size_t i = 0; i < c->scan->nsvcs; i++)
		found(c, &c->scan->svcs[i], by_target, true);
	for (size_t i = 0; !c->nservices && i < c->scan->nsvcs; i++)
		found(c, &c->scan->svcs[i], by_time, false);
	renumber(c);
}

/* ---- given ---- */

static const struct capture_gateway *given(const struct capture *c, const struct svc *v)
{
	for (size_t i = 0; i < c->cfg.ngateways; i++) {
		const struct capture_gateway *g = &c->cfg.gateways[i];

		if ((!g->port || g->port == v->port) && capture_same_ip(&g->ip, &v->ip))
			return g;
	}
	return NULL;
}

static void given_all(struct capture *c)
{
	for (size_t i = 0; i < c->scan->nsvcs; i++)
		if (given(c, &c->scan->svcs[i]))
			add_service(c, &c->scan->svcs[i], 0);
	if (!c->nservices)
		return;
	c->ngws = 1;
	for (size_t i = 0; i < c->cfg.ngateways; i++)
		add_source(c, &c->cfg.gateways[i].ip, 0);
}

/* ---- words ---- */

void capture_say(struct capture *c, const char *fmt, ...)
{
	char text[CAPTURE_ERR_MAX];
	va_list ap;

	if (!c->ops.say)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->ops.say(c->self, text);
}

static void say_gateway(struct capture *c, int gw)
{
	char list[160] = "", from[160] = "", one[TEXT_ENDPOINT_MAX];
	size_t n = 0, m = 0;

	for (size_t i = 0; i < c->nservices && n + sizeof(one) < sizeof(list); i++) {
		if (c->services[i].gw != gw)
			continue;
		text_endpoint(one, sizeof(one), &c->services[i].ip, c->services[i].port);
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", one);
	}
	for (size_t i = 0; i < c->nsources && m + sizeof(one) < sizeof(from); i++) {
		if (c->sources[i].gw != gw)
			continue;
		text_addr(one, sizeof(one), &c->sources[i].ip);
		m += (size_t)snprintf(from + m, sizeof(from) - m, "%s%s", m ? ", " : "", one);
	}
	capture_say(c, "gateway %s%s%s%s", list, m ? ", connects from " : "", from,
		    c->cfg.ngateways ? " (as given)" : " (as its packets show; else: --gateway)");
}

static void why(const struct capture *c, char *out)
{
	const struct svc *best = NULL;
	char where[TEXT_ENDPOINT_MAX];

	for (size_t i = 0; i < c->scan->nsvcs; i++) {
		const struct svc *v = &c->scan->svcs[i];

		if (!best || v->bad > best->bad ||
		    (v->bad == best->bad && v->requests > best->requests))
			best = v;
	}
	if (!c->scan->npackets) {
		snprintf(out, CAPTURE_ERR_MAX, "no IP packets in it that why502 can read");
		return;
	}
	if (!best) {
		snprintf(out, CAPTURE_ERR_MAX,
			 "no request of HTTP/1 in clear text in it: what is encrypted, and HTTP/2, "
			 "cannot be read from packets");
		return;
	}
	text_endpoint(where, sizeof(where), &best->ip, best->port);
	if (c->cfg.ngateways)
		snprintf(out, CAPTURE_ERR_MAX,
			 "no HTTP request goes to an address given by --gateway; most go to %s",
			 where);
	else
		snprintf(
			out, CAPTURE_ERR_MAX,
			"no host in it takes HTTP requests and passes them on: %s answers %llu, but "
			"no connection is opened for them. Capture both sides of the gateway, or "
			"name it with --gateway",
			where, (unsigned long long)best->requests);
}

void capture_choose_gateways(struct capture *c, char why_none[CAPTURE_ERR_MAX])
{
	if (c->cfg.ngateways)
		given_all(c);
	else
		found_all(c);
	for (size_t i = 0; i < c->ngws; i++)
		say_gateway(c, (int)i);
	if (!c->ngws)
		why(c, why_none);
}
