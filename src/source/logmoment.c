/* SPDX-License-Identifier: BSD-2-Clause */
/* When a line's request ended, how exactly that is known, and how long it took. */
#include "base/util.h"
#include "source/logfmt_impl.h"
#include "source/logtime.h"

#define QUARTER_NS (15 * 60 * NS_PER_S) /* zones differ by multiples of this */

static bool stamp_of(struct logtime *t, const struct log_values *v)
{
	static bool (*const readers[])(struct logtime *, const char *, size_t) = {
		[LOG_CLF] = logtime_clf,     [LOG_ISO] = logtime_iso,	  [LOG_HAP] = logtime_hap,
		[LOG_HAP_REQ] = logtime_hap, [LOG_EPOCH] = logtime_epoch,
	};
	struct logtime one;
	uint64_t n;

	*t = (struct logtime){ .precision_us = UINT32_MAX };
	for (size_t i = LOG_CLF; i < ARRAY_SIZE(readers); i++) {
		if (v->v[i].p && readers[i](&one, v->v[i].p, v->v[i].len) &&
		    one.precision_us < t->precision_us)
			*t = one;
	}
	if (log_number(&n, v->v[LOG_EPOCH_MS]) && n < 1ull << 43)
		*t = (struct logtime){ .wall_ns = n * 1000000, .precision_us = 1000 };
	if (log_number(&n, v->v[LOG_EPOCH_US]) && n < 1ull << 53)
		*t = (struct logtime){ .wall_ns = n * 1000, .precision_us = 1 };
	if (!t->wall_ns)
		return false;
	if (t->precision_us == 1000000 && log_number(&n, v->v[LOG_FRAC_US]) && n < 1000000) {
		t->wall_ns += n * NS_PER_US;
		t->precision_us = 1;
	} else if (t->precision_us == 1000000 && log_number(&n, v->v[LOG_FRAC_MS]) && n < 1000) {
		t->wall_ns += n * 1000 * NS_PER_US;
		t->precision_us = 1000;
	}
	return true;
}

/* How long it took; *step_us: what the number is cut to. */
static bool duration_of(const struct log_values *v, uint64_t *us, uint64_t *step_us)
{
	struct log_span s = v->v[LOG_DUR_S];
	unsigned int digits;
	uint64_t n;

	if (log_number(&n, v->v[LOG_DUR_US])) {
		*us = n;
		*step_us = 1;
		return n < UINT32_MAX;
	}
	if (log_number(&n, v->v[LOG_DUR_MS])) {
		*us = n * 1000;
		*step_us = 1000;
		/* HAProxy's "+": logged before the end */
		return n < UINT32_MAX / 1000 && *v->v[LOG_DUR_MS].p != '+';
	}
	if (!log_given(s) || !logtime_decimal(&n, &digits, s.p, s.len))
		return false;
	*us = n / NS_PER_US;
	*step_us = digits >= 3 ? 1000 : 1000000;
	return *us < UINT32_MAX;
}

bool log_moment_of(struct log_moment *m, const struct logfmt *f, const struct log_values *v,
		   uint64_t now_wall_ns)
{
	bool of_accept = f->kind == W5_LOG_HAPROXY && !v->v[LOG_HAP_REQ].p;
	uint64_t step_us = 0, total, lasted;
	struct logtime t;

	if (!stamp_of(&t, v))
		return false;
	*m = (struct log_moment){ .is_end = f->stamp_ends };
	m->has_duration = duration_of(v, &m->duration_us, &step_us);
	/* Of a host in another zone than the gateway's container: the line has just been written. */
	if (t.local && now_wall_ns < 1ull << 62) {
		int64_t off = (int64_t)(now_wall_ns - t.wall_ns);
		int64_t half = (int64_t)QUARTER_NS / 2;

		off = (off + (off < 0 ? -half : half)) / (int64_t)QUARTER_NS;
		t.wall_ns += (uint64_t)(off * (int64_t)QUARTER_NS);
	}
	m->wall_ns = t.wall_ns;
	m->precision_us = t.precision_us;
	if (m->is_end)
		return true;
	lasted = m->duration_us;
	if (of_accept) {
		/* %t is of the accept; only %Tt counts from there. */
		if (!log_number(&total, v->v[LOG_TOTAL_MS]) || total >= UINT32_MAX / 1000 ||
		    *v->v[LOG_TOTAL_MS].p == '+')
			return true;
		lasted = total * 1000;
		step_us = 1000;
	} else if (!m->has_duration) {
		return true;
	}
	m->wall_ns += lasted * NS_PER_US;
	m->precision_us += step_us;
	m->is_end = true;
	return true;
}

bool log_set_times(struct w5_log *out, const struct log_moment *m, const struct log_clock *clock)
{
	uint64_t ns, now = clock->now_ns;

	if (m->wall_ns <= clock->wall_offset_ns)
		return false;
	ns = m->wall_ns - clock->wall_offset_ns;
	out->end_ns = ns;
	out->precision_us = log_us(m->precision_us ? m->precision_us : 1);
	if (m->has_duration)
		out->duration_us = log_us(m->duration_us ? m->duration_us : 1);
	/* Only the begin is known: it ended some time until the line was read. */
	if (!m->is_end && now > ns)
		out->precision_us = log_us(max_u64((now - ns) / NS_PER_US, out->precision_us));
	return true;
}
