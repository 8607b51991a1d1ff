// SPDX-License-Identifier: BSD-2-Clause
/* Open-loop pacing: requests leave when the clock says so, however slowly answers come. */
#include "load.h"

#include <string.h>
#include <sys/epoll.h>

#include "../common/process.h"

static void inject(struct load *load, struct fault *f)
{
	unsigned n = f->batch < f->left ? f->batch : f->left;
	bool own = f->prime_ms || f->batch > 1;
	struct conn *c = NULL;
	struct lane *l;

	for (unsigned i = 0; i < n; i++) {
		if (own && (!c || i % c->nlanes == 0))
			c = conn_open(load, true);
		l = !own ? lane_get(load) : c ? &c->lanes[i % c->nlanes] : NULL;
		if (!l) {
			load->refused++;
			continue;
		}
		f->running += own;
		if (f->left != UINT32_MAX)
			f->left--;
		load->faulty++;
		lane_request(l, f, f->prime_ms > 0);
	}
}

static bool injections_left(const struct load *load)
{
	for (size_t i = 0; i < load->nfaults; i++)
		if (load->faults[i].is_chosen && load->faults[i].left)
			return true;
	return false;
}

static void pace_faults(struct load *load, uint64_t now)
{
	for (struct fault *f = load->faults; f < load->faults + load->nfaults; f++) {
		if (f->batch == 1 && !f->prime_ms && lane_must_wait(load))
			continue;
		/* A batch waits for the one before: its conns must not mix with the next one's. */
		if (!f->is_chosen || !f->left || f->next_ns > now || (f->batch > 1 && f->running))
			continue;
		inject(load, f);
		f->next_ns += (uint64_t)f->every_ns;
		if (f->next_ns < now)
			f->next_ns = now;
	}
}

static void pace_healthy(struct load *load, uint64_t elapsed_ns, double rate)
{
	uint64_t want = (uint64_t)((double)elapsed_ns / SEC * rate);
	struct fault *f;
	struct lane *l;

	while (load->healthy + load->faulty < want && !lane_must_wait(load)) {
		do {
			f = &load->faults[load->turn++ % load->nfaults];
		} while (strcmp(f->set, "ok"));
		l = lane_get(load);
		if (!l) { /* every conn is busy: the gateway cannot keep up */
			load->refused++;
			return;
		}
		load->healthy++;
		lane_request(l, f, false);
	}
}

static void report(const struct load *load, uint64_t took_ns)
{
	printf("sent %llu requests in %.1f s: %llu healthy (%llu not answered well), %llu faulty, "
	       "%llu unfinished, %llu not sent\n",
	       (unsigned long long)(load->healthy + load->faulty), (double)took_ns / SEC,
	       (unsigned long long)load->healthy, (unsigned long long)load->healthy_bad,
	       (unsigned long long)load->faulty, (unsigned long long)load->in_flight,
	       (unsigned long long)load->refused);
}

int pace_run(struct load *load, double rate, double seconds, const volatile sig_atomic_t *stop)
{
	uint64_t start = now_ns(CLOCK_MONOTONIC), now, hard_end;
	struct epoll_event ev[512];
	bool issuing = true;
	int n;

	hard_end = seconds > 0 ? start + (uint64_t)(seconds * 3 * SEC) + 30 * SEC : UINT64_MAX;
	while (issuing || load->in_flight) {
		now = now_ns(CLOCK_MONOTONIC);
		if (*stop || now > hard_end)
			break;
		if (issuing && seconds > 0 && now - start > (uint64_t)(seconds * SEC) &&
		    !injections_left(load))
			issuing = false;
		for (size_t k = 0; k < load->nfaults; k++) /* second halves of pairs to come */
			if (!issuing && load->faults[k].running)
				issuing = true;
		if (issuing) {
			pace_faults(load, now);
			pace_healthy(load, now - start, rate);
		}
		conns_due(load, now);
		n = epoll_wait(load->ep, ev, 512, 1);
		for (int i = 0; i < n; i++)
			conn_on_event(ev[i].data.ptr, ev[i].events);
	}
	if (load->truth)
		fclose(load->truth);
	report(load, now_ns(CLOCK_MONOTONIC) - start);
	return load->healthy_bad || load->in_flight || load->refused ? 1 : 0;
}
