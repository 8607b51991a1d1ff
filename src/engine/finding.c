/* SPDX-License-Identifier: BSD-2-Clause */
/* Life time of findings and of the packet dumps they share, and the names of their enums. */
#include "engine/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static const char *const verdict_names[VERDICT_MAX] = {
	[VERDICT_GATEWAY_MADE] = "gateway-made",
	[VERDICT_PASSED_THROUGH] = "passed-through",
	[VERDICT_SILENT] = "silent",
	[VERDICT_CLIENT] = "client",
	[VERDICT_RECOVERED] = "recovered",
	[VERDICT_UNKNOWN] = "unknown",
};

static const char *const confidence_names[CONFIDENCE_MAX] = {
	[CONFIDENCE_CERTAIN] = "certain",
	[CONFIDENCE_LIKELY] = "likely",
	[CONFIDENCE_AMBIGUOUS] = "ambiguous",
};

static const char *const witness_names[WITNESS_COUNT] = {
	"target", "trail", "thread", "time", "status", "request-id", "upstream",
};

const char *verdict_name(enum verdict v)
{
	return (unsigned)v < VERDICT_MAX ? verdict_names[v] : "unknown";
}

const char *confidence_name(enum confidence c)
{
	return (unsigned)c < CONFIDENCE_MAX ? confidence_names[c] : "ambiguous";
}

const char *witness_name(unsigned bit)
{
	return bit < WITNESS_COUNT ? witness_names[bit] : "";
}

const char *sight_name(unsigned sight)
{
	static const char *const names[] = {
		"unknown", "wire", "tls", "tls", "log", "wire+log", "tls+log", "tls+log",
	};

	return sight < ARRAY_SIZE(names) ? names[sight] : names[0];
}

void flight_unref(struct flight *f)
{
	if (f && --f->refs == 0)
		free(f);
}

struct finding *finding_ref(struct finding *f)
{
	f->refs++;
	return f;
}

void finding_unref(struct finding *f)
{
	if (!f || --f->refs > 0)
		return;
	for (size_t i = 0; i < f->nattempts; i++)
		flight_unref(f->attempts[i].flight);
	flight_unref(f->flight);
	free(f->attempts);
	free(f);
}

const char *timer_phase_name(enum timer_phase p)
{
	static const char *const names[] = {
		[TIMER_CONNECT] = "connect", [TIMER_HANDSHAKE] = "handshake", [TIMER_SEND] = "send",
		[TIMER_ANSWER] = "answer",   [TIMER_BODY] = "body",
	};

	return p < TIMER_PHASES ? names[p] : "?";
}

bool finding_has_client(const struct finding *f)
{
	static const struct w5_addr none;

	return memcmp(&f->down.remote, &none, sizeof(none)) != 0;
}

const struct attempt *finding_last_attempt(const struct finding *f)
{
	return f->nattempts ? &f->attempts[f->nattempts - 1] : NULL;
}
