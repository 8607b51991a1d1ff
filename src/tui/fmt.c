/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and names the way the screen shows them. Pure. */
#include "tui/fmt.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void fmt_request(char *out, size_t cap, const struct finding *f)
{
	size_t n = text_escape(out, cap, f->method, strlen(f->method));

	if (!f->method[0] && !f->target[0]) {
		snprintf(out, cap, "(request not seen)");
		return;
	}
	if (n && n + 1 < cap)
		out[n++] = ' ';
	text_escape(out + n, cap - n, f->target, strlen(f->target));
}

void fmt_status(char *out, size_t cap, const struct finding *f)
{
	if (f->status)
		snprintf(out, cap, "%u", f->status);
	else
		snprintf(out, cap, "%s", finding_unread(f) ? "???" : "---");
}

void fmt_ms(char *out, size_t cap, uint64_t ns)
{
	double ms = (double)ns / 1e6;

	if (!ns)
		snprintf(out, cap, "-");
	else if (ms < 9.995)
		snprintf(out, cap, "%.2f", ms);
	else if (ms < 999.95)
		snprintf(out, cap, "%.1f", ms);
	else if (ms < 999999.5)
		snprintf(out, cap, "%.0f", ms);
	else
		snprintf(out, cap, "%.0fs", ms / 1e3);
}

void fmt_rate(char *out, size_t cap, double r)
{
	if (r <= 0)
		snprintf(out, cap, "0");
	else if (r < 0.1)
		snprintf(out, cap, "%.2f", r);
	else if (r < 99.95)
		snprintf(out, cap, "%.1f", r);
	else
		text_count(out, cap, (uint64_t)(r + 0.5));
}

void fmt_uptime(char *out, size_t cap, uint64_t ns)
{
	uint64_t s = ns / 1000000000ull;

	if (s >= 100 * 3600)
		snprintf(out, cap, "%llud", (unsigned long long)(s / 86400));
	else
		snprintf(out, cap, "%02llu:%02llu:%02llu", (unsigned long long)(s / 3600),
			 (unsigned long long)(s / 60 % 60), (unsigned long long)(s % 60));
}

void fmt_time_of_day(char *out, size_t cap, uint64_t wall_ns)
{
	char buf[TEXT_TIME_MAX];

	text_time_of_day(buf, sizeof(buf), wall_ns);
	snprintf(out, cap, "%.8s", buf);
}

void fmt_client(char *out, size_t cap, const struct finding *f)
{
	if (finding_has_client(f))
		text_addr(out, cap, &f->down.remote);
	else
		snprintf(out, cap, "not logged");
}

const struct attempt *fmt_deciding_attempt(const struct finding *f)
{
	/* a recovered exchange is about the backend that failed, not the one that answered */
	for (size_t i = 0; f->verdict == VERDICT_RECOVERED && i < f->nattempts; i++)
		if (f->attempts[i].cause != CAUSE_NONE)
			return &f->attempts[i];
	return finding_last_attempt(f);
}

void fmt_upstream(char *out, size_t cap, const struct finding *f)
{
	const struct attempt *a = fmt_deciding_attempt(f);

	if (a)
		text_upstream(out, cap, &a->leg);
	else
		snprintf(out, cap, "-");
}

void fmt_about(char *out, size_t cap, uint64_t us)
{
	double ms = (double)us / 1e3;

	if (ms < 0.0995)
		snprintf(out, cap, "%.3f ms", ms);
	else if (ms < 0.995)
		snprintf(out, cap, "%.2f ms", ms);
	else if (ms < 9.95)
		snprintf(out, cap, "%.1f ms", ms);
	else if (ms < 99.5)
		snprintf(out, cap, "%.0f ms", ms);
	else if (ms < 995)
		snprintf(out, cap, "%.0f0 ms", ms / 10);
	else if (ms < 9950)
		snprintf(out, cap, "%.1f s", ms / 1e3);
	else
		snprintf(out, cap, "%.0f s", ms / 1e3);
}

void fmt_in_use(char *out, size_t cap, const struct engine_upstream *u)
{
	if (u->counted)
		text_count(out, cap, u->in_use);
	else
		snprintf(out, cap, "-");
}

void fmt_idle(char *out, size_t cap, const struct engine_upstream *u)
{
	if (u->counted)
		text_count(out, cap, u->idle);
	else
		snprintf(out, cap, "-");
}

/* "~": of turns gathered by the kernel side only the mean is known, which hides extremes. */
void fmt_quantile(char *out, size_t cap, const struct engine_upstream *u, size_t i)
{
	char about[24];

	fmt_about(about, sizeof(about), u->ttfb_us[i]);
	if (!u->ttfb_us[i])
		snprintf(out, cap, "-");
	else
		snprintf(out, cap, "%s%s", u->ttfb_is_rough ? "~" : "", about);
}

void fmt_relative(char *out, size_t cap, int64_t ns)
{
	char sign = ns < 0 ? '-' : '+';
	double ms = (ns < 0 ? -(double)ns : (double)ns) / 1e6;

	if (ms < 9999.9995)
		snprintf(out, cap, "%c%.3f ms", sign, ms);
	else
		snprintf(out, cap, "%c%.3f s", sign, ms / 1e3);
}

void fmt_ago(char *out, size_t cap, uint64_t ns)
{
	uint64_t s = ns / 1000000000ull;

	if (s < 2)
		snprintf(out, cap, "second");
	else if (s < 100)
		snprintf(out, cap, "%llu s", (unsigned long long)s);
	else if (s < 100 * 60)
		snprintf(out, cap, "%llu min", (unsigned long long)(s / 60));
	else if (s < 72 * 3600)
		snprintf(out, cap, "%llu h", (unsigned long long)(s / 3600));
	else
		snprintf(out, cap, "%llu days", (unsigned long long)(s / 86400));
}
