/* SPDX-License-Identifier: BSD-2-Clause */
/* See series.h. */
#include "sink/series.h"

#include "base/util.h"

/* The trend compares the last 30 s with the 30 s before. */
#define TREND_BUCKETS 6

static const struct {
	unsigned seconds;
	const char *name;
} windows[GROUP_WINDOW_MAX] = {
#define X(id, s, text) [GROUP_WINDOW_##id] = { .seconds = s, .name = text },
	GROUP_WINDOWS(X)
#undef X
};

const char *group_window_name(enum group_window w)
{
	return windows[w].name;
}

uint64_t group_window_ns(enum group_window w)
{
	return windows[w].seconds * 1000000000ull;
}

/* Opens the bucket of that number; what lies between is empty. */
static void open_bucket(struct series *s, uint64_t nr)
{
	uint64_t from = max_u64(s->epoch + 1, nr >= SERIES_BUCKETS ? nr - SERIES_BUCKETS + 1 : 0);

	if (nr <= s->epoch)
		return;
	for (uint64_t i = from; i <= nr; i++)
		s->bucket[i % SERIES_BUCKETS] = 0;
	s->epoch = nr;
}

static bool has_bucket(const struct series *s, uint64_t nr)
{
	return nr <= s->epoch && nr + SERIES_BUCKETS > s->epoch;
}

void series_add(struct series *s, const struct finding *f)
{
	uint64_t nr = f->ts_ns / SERIES_BUCKET_NS;

	if (!s->total++)
		s->first_wall_ns = f->wall_ns;
	s->last_wall_ns = max_u64(s->last_wall_ns, f->wall_ns);
	s->last_ns = max_u64(s->last_ns, f->ts_ns);
	open_bucket(s, nr);
	if (has_bucket(s, nr))
		s->bucket[nr % SERIES_BUCKETS]++;
}

void series_merge(struct series *s, const struct series *from)
{
	if (!from->total)
		return;
	if (!s->total || from->first_wall_ns < s->first_wall_ns)
		s->first_wall_ns = from->first_wall_ns;
	s->total += from->total;
	s->last_wall_ns = max_u64(s->last_wall_ns, from->last_wall_ns);
	s->last_ns = max_u64(s->last_ns, from->last_ns);
	open_bucket(s, from->epoch);
	for (uint64_t nr = from->epoch; has_bucket(from, nr); nr--) {
		if (has_bucket(s, nr))
			s->bucket[nr % SERIES_BUCKETS] += from->bucket[nr % SERIES_BUCKETS];
		if (!nr)
			return;
	}
}

uint64_t series_sum(const struct series *s, uint64_t now_ns, uint64_t skip, uint64_t n)
{
	uint64_t now_nr = now_ns / SERIES_BUCKET_NS, sum = 0;

	for (uint64_t i = skip; i < skip + n && i <= now_nr; i++)
		if (has_bucket(s, now_nr - i))
			sum += s->bucket[(now_nr - i) % SERIES_BUCKETS];
	return sum;
}

uint64_t series_count(const struct series *s, uint64_t now_ns, enum group_window w)
{
	uint64_t buckets = windows[w].seconds * 1000000000ull / SERIES_BUCKET_NS;

	return buckets ? series_sum(s, now_ns, 0, buckets) : s->total;
}

uint64_t series_first_ns(const struct series *s)
{
	return s->last_ns - (s->last_wall_ns - s->first_wall_ns);
}

enum group_trend series_trend(const struct series *s, uint64_t now_ns)
{
	uint64_t now = series_sum(s, now_ns, 0, TREND_BUCKETS);
	uint64_t before = series_sum(s, now_ns, TREND_BUCKETS, TREND_BUCKETS);

	if (!now)
		return TREND_OVER;
	/* too young to have a past to compare with */
	if (series_first_ns(s) / SERIES_BUCKET_NS + 2 * TREND_BUCKETS > now_ns / SERIES_BUCKET_NS)
		return TREND_STEADY;
	/* a third more or less, and more than noise of single events */
	if (now * 3 > before * 4 && now > before + 2)
		return TREND_UP;
	if (now * 4 < before * 3 && now + 2 < before)
		return TREND_DOWN;
	return TREND_STEADY;
}

double series_rate(uint64_t count, const struct series *all, uint64_t now_ns, enum group_window w)
{
	double since = (double)(now_ns - min_u64(now_ns, series_first_ns(all))) / 1e9;
	double span = windows[w].seconds && windows[w].seconds < since ? windows[w].seconds : since;

	/* of what began just now a rate would say more than is known */
	return (double)count / (span < 1 ? 1 : span);
}
