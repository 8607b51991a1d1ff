# SPDX-License-Identifier: BSD-2-Clause
# Results of tools/bench/run in, one table and the verdicts out. Fields of a line:
#   1 round 2 arm 3 requests 4 bad 5 wall_us 6 p50 7 p99 8 cpu_us 9 gateway_us 10 tool_us
#   11 lost 12 seen 13 rss_kb 14 map_bytes
# Exit status 1 when a "must" is not reached.

function sorted(list, n,	i, j, x) {
	for (i = 2; i <= n; i++) {
		x = list[i]
		for (j = i - 1; j > 0 && list[j] > x; j--)
			list[j + 1] = list[j]
		list[j + 1] = x
	}
}

# The q-quantile of what collect() gathered, between neighbours where it falls there.
function quantile(q,	at, low) {
	if (!n)
		return 0
	at = 1 + (n - 1) * q
	low = int(at)
	return low == n ? list[n] : list[low] + (at - low) * (list[low + 1] - list[low])
}

# Values of one column, per request or as they are, or their ratios to none in a round.
function collect(arm, column, how,	r, v, base) {
	n = 0
	delete list
	for (r = 1; r <= rounds; r++) {
		if (!((r, arm, 3) in cell))
			continue
		v = cell[r, arm, column]
		base = cell[r, "none", column]
		if (how == "ratio" && base > 0)
			list[++n] = v / base
		else if (how == "inverse" && v > 0)
			list[++n] = base / v
		else if (how == "request")
			list[++n] = v / cell[r, arm, 3]
		else if (how == "plain")
			list[++n] = v
	}
	sorted(list, n)
}

function median(arm, column, how) {
	collect(arm, column, how)
	return quantile(0.5)
}

function verdict(kind, good, text) {
	printf "%-4s %-6s %s\n", kind, good ? "yes" : "NO", text
	if (kind == "must" && !good)
		failed = 1
}

{
	for (i = 3; i <= NF; i++)
		cell[$1, $2, i] = $i
	if ($1 > rounds)
		rounds = $1
	errors += $4
	if ($2 == "why502" || $2 == "recorder") {
		if ($11 == "-")
			blind++
		lost += $11
		missing += $12 < $3 ? $3 - $12 : 0
	} else if ($2 == "tcpdump")
		dropped += $11
}

END {
	narms = split(order, arms, " ")
	printf "\n%-9s %22s %24s %18s %7s %7s %7s\n", "arm", "CPU us/request (q1-q3)",
		"CPU ratio (q1-q3)", "gateway CPU ratio", "through", "p50", "p99"
	for (a = 1; a <= narms; a++) {
		arm = arms[a]
		printf "%-9s", arm
		collect(arm, 8, "request")
		printf " %8.2f (%5.1f-%5.1f)", quantile(0.5), quantile(0.25), quantile(0.75)
		if (arm == "none") {
			print ""
			continue
		}
		collect(arm, 8, "ratio")
		extra[arm] = quantile(0.5) - 1
		printf "  %8.3f (%5.3f-%5.3f)", quantile(0.5), quantile(0.25), quantile(0.75)
		printf "  %12.3f", median(arm, 9, "ratio")
		through[arm] = median(arm, 5, "inverse")
		printf "       %7.3f %7.2f %7.2f\n", through[arm], median(arm, 6, "ratio"), median(arm, 7, "ratio")
	}
	print ""
	for (a = 1; a <= narms; a++) {
		arm = arms[a]
		if (arm != "why502" && arm != "recorder" && arm != "tcpdump")
			continue
		printf "%-9s own CPU %.2f s per million requests, resident %.1f MB",
			arm, median(arm, 10, "request"), median(arm, 13, "plain") / 1024
		if (arm != "tcpdump")
			printf ", kernel maps %.1f MB", median(arm, 14, "plain") / 1048576
		print ""
	}
	if (dropped)
		printf "tcpdump dropped %d packets, which makes it look cheaper than it is\n", dropped
	split(lag, l, " ")
	if (l[2] > 0)
		printf "finding after its 502: p50 %s ms, p99 %s ms, max %s ms (%d of %d)\n", l[3], l[4], l[5],
			l[2], bad_requests
	print ""
	if (errors)
		verdict("must", 0, sprintf("every answer is 200: %d were not", errors))
	if (!("recorder" in extra)) {
		print "why502 was not measured"
		exit failed
	}
	verdict("must", !blind && !missing, sprintf("why502 saw every request: %d missing", missing))
	verdict("must", !blind && !lost, sprintf("nothing lost: %d", lost))
	verdict("must", l[2] == bad_requests, sprintf("a finding for every 502: %d of %d", l[2], bad_requests))
	if ("tcpdump" in extra) {
		share = extra["tcpdump"] > 0 ? extra["recorder"] / extra["tcpdump"] : 9
		verdict("must", share <= 0.5, sprintf("extra CPU at most half of tcpdump's: %.2f (%+.1f %% against %+.1f %%)",
			share, 100 * extra["recorder"], 100 * extra["tcpdump"]))
		verdict("aim", share <= 1 / 3, sprintf("at most a third of it: %.2f", share))
	}
	verdict("aim", extra["recorder"] <= 0.03, sprintf("extra CPU at most 3 %%: %+.1f %%", 100 * extra["recorder"]))
	verdict("aim", through["recorder"] >= 0.97, sprintf("throughput at least 0.97: %.3f", through["recorder"]))
	exit failed
}
