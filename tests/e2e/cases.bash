# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The end-to-end cases; see run. Each is a function that fails with an explanation on stdout,
# or prints "skip: reason" and fails.
# shellcheck disable=SC2154 # work, main, state, top, only come from run

# fault_rows: "name batch" of the rows to test
fault_rows() {
	# shellcheck disable=SC2086 # one word per set
	lab rows ${E2E_SETS:-core wide} | awk -F '|' '{
		batch = match($9, /batch=[0-9]+/) ? substr($9, RSTART + 6, RLENGTH - 6) : ""
		print $2, batch
	}'
}

# queue_is_known TRUTH: the backend has looked into its queue, which tells whose request was there
queue_is_known() {
	lines "$state/log/backend.log" "queued.*$(tag_of "$1")" 2 5 && return
	echo 'the backend found no two requests in its queue'
	return 1
}

case_cause() { # FAULT BATCH
	local truth=$work/$1.tsv n=${2:-3} d=0.3
	# A race by nature: nginx delivers the early 413 itself in about half of them.
	[ "$1" != early-response-reset ] || n=16
	# That small requests get through meanwhile is a part of this one.
	[ "$1" != pmtu-blackhole-request ] || d=2
	send "$truth" -r 40 -n "$n" -d $d --mix "$1" || return 1
	settle "$main" "$truth"
	[ "$1" != accept-queue-overflow ] || queue_is_known "$truth" || return 1
	judge "$main" "$truth" || return 1
	expect "$n injected requests seen" grep -q "seen [1-9]" "$truth.join"
}

# More connections than a backend accepts: some are let in late, the SYNs of others are dropped
# meanwhile. What else may be seen of a full queue is in the row accept-queue-overflow.
case_accept_queue_syn() {
	local truth=$work/accept-queue-syn.tsv
	send "$truth" -r 0 -n 40 -d 1 --mix accept-queue-syn || return 1
	settle "$main" "$truth"
	judge "$main" "$truth" || return 1
	expect 'SYNs that were ignored while others were let in' \
		eval "of '$main' '$truth' | grep 'let others in but ignored' >/dev/null"
}

case_healthy() {
	local truth=$work/healthy.tsv last=$work/healthy-last.tsv
	send "$truth" -r 1000 -n 0 -d 1 || return 1
	send "$last" -r 0 -n 1 -d 0.01 --mix conn-refused || return 1
	settle "$main" "$last"
	expect 'no finding about healthy requests' [ -z "$(of "$main" "$truth")" ] || return 1
	expect 'one finding about the refused one' [ "$(of "$main" "$last" | wc -l)" = 1 ]
}

# Bodies without a length, whole: by the last chunk, with a trailer, by the conn's end; and such as
# came over a local socket.
case_bodies() {
	local truth=$work/bodies.tsv last=$work/bodies-last.tsv
	send "$truth" -r 0 -n 10 -d 0.3 --mix well || return 1
	send "$last" -r 0 -n 1 -d 0.01 --mix truncated-chunked || return 1
	settle "$main" "$last"
	expect '50 answers with 200, whole' [ "$(awk -F '\t' '$6 == 200 && $8 == 1' "$truth" | wc -l)" = 50 ] || return 1
	expect 'no finding about them' [ -z "$(of "$main" "$truth")" ] || return 1
	expect 'one finding about the body that was cut' [ "$(of "$main" "$last" | wc -l)" = 1 ]
}

# All the cases above: nothing lost, whole lines only, and a summary.
case_main_stop() {
	why502_stop "$main" INT
	expect "exit status 1 (bad exchanges seen), not $stopped" [ "$stopped" = 1 ] || return 1
	expect 'a line of stats at the end' eval "tail -n 1 '$main/findings.ndjson' | grep -q '\"type\":\"stats\"'" || return 1
	expect 'nothing lost' eval "tail -n 1 '$main/findings.ndjson' | grep -q '\"lost\":0,'"
}

# The judge itself: it must not pass a wrong cause, a wrong port or a finding that is missing.
case_judge_can_fail() {
	local truth=$work/conn-refused.tsv spoiled=$work/spoiled edit
	[ -s "$truth" ] || { echo 'skip: cause-conn-refused did not run'; return 1; }
	mkdir -p "$spoiled"
	for edit in 's/"cause":"conn-refused"/"cause":"keepalive-race"/g' 's/"port":9001/"port":9002/g' \
		'/conn-refused/d' 's/gateway-made/passed-through/'; do
		sed "$edit" "$main/findings.ndjson" >"$spoiled/findings.ndjson"
		judge "$spoiled" "$truth" >/dev/null && { echo "passed in spite of: $edit"; return 1; }
	done
	judge "$main" "$truth"
}

case_replay() {
	[ -z "${pid_of[$main]:-}" ] || { echo 'skip: the recording why502 still runs'; return 1; }
	"$O/why502" -r "$work/main.w5" --output ndjson >"$work/replay.ndjson" 2>"$work/replay.err"
	[ $? -le 1 ] || { cat "$work/replay.err"; return 1; }
	grep '"type":"finding"' "$main/findings.ndjson" >"$work/live.only"
	grep '"type":"finding"' "$work/replay.ndjson" >"$work/replay.only"
	expect 'some findings' [ -s "$work/live.only" ] || return 1
	cmp "$work/live.only" "$work/replay.only" && return
	diff "$work/live.only" "$work/replay.only" | head -n 4
	return 1
}

# Pools of both legs filled before why502 starts; nginx's log and truth decide as ever.
# OLDER_TRACE: where the trace goes that tests/replay/record wants
case_older() { # NAME LAB-LOAD-OPTIONS...
	local dir=$work/$1 truth=$work/$1.tsv out=$work/$1.out load ready
	shift
	rm -f "$truth"
	lab load "$@" -r 200 -n 40 -d 4 --mix backend-502,conn-refused,closed-before-response -o "$truth" >"$out" &
	load=$!
	# attach when the pools are in use: the backend has a hundred requests more than before
	lines <(tail -n 0 -f "$state/log/backend.log") request 100 5
	why502_start "$dir" ${OLDER_TRACE:+--history=0 --cgroup "/w5lab-$LAB_ID" -w "$OLDER_TRACE"} ||
		{ wait $load; return 1; }
	ready=$(now_us)
	wait $load
	# give the last ones their finding: the number of those sent after the attach
	lines "$dir/findings.ndjson" "\"target\":\"/[a-z0-9-]*/$(tag_of "$truth")" \
		"$(awk -F '\t' -v t="$ready" '$3 != "none" && $5 > t' "$truth" | wc -l)" 6 || :
	why502_stop "$dir"
	judge "$dir" "$truth" -a "$ready" >"$truth.out" || { cat "$truth.out"; return 1; }
	expect 'some of them after the attach' grep -q 'seen [1-9]' "$truth.join" || return 1
	# Others may open a connection for a client's first request, or have closed the older ones.
	[ "$(cat "$state/name")" = nginx ] || return 0
	expect 'a finding on an upstream connection older than why502' \
		grep -q '"older":true' "$dir/findings.ndjson"
}

# case_older_of GATEWAY NAME LAB-LOAD-OPTIONS...: the same; over HTTP/2 Apache and Caddy refer to
# statuses that they have sent before
case_older_of() {
	gateway_is "$1" && case_older "$1-$2" "${@:3}"
}

case_port() {
	local dir=$work/port truth=$work/port.tsv
	why502_start "$dir" --port 9012 || return 1
	send "$truth" -r 0 -n 4 -d 0.1 --mix conn-refused || return 1
	send "$work/port2.tsv" -r 0 -n 4 -d 0.1 --mix backend-502 || return 1
	settle "$dir" "$work/port2.tsv"
	why502_stop "$dir"
	expect 'findings of the backend port named' [ "$(of "$dir" "$work/port2.tsv" | wc -l)" = 4 ] || return 1
	expect 'none of another port' [ -z "$(of "$dir" "$truth")" ]
}

case_signal() { # SIGNAL
	local dir=$work/signal-$1 truth=$work/signal-$1.tsv
	why502_start "$dir" || return 1
	send "$truth" -r 0 -n 2 -d 0.1 --mix conn-refused || return 1
	settle "$dir" "$truth"
	why502_stop "$dir" "$1"
	expect "exit status 1 after SIG$1, not $stopped" [ "$stopped" = 1 ] || return 1
	expect 'stats as the last line' eval "tail -n 1 '$dir/findings.ndjson' | grep -q '\"type\":\"stats\"'"
}

case_quiet() {
	local dir=$work/quiet
	why502_start "$dir" --port 1 --duration 1 || return 1
	lines "$dir/findings.ndjson" '"type":"stats"' 1 5 "${pid_of[$dir]}" ||
		{ echo '--duration did not end it'; return 1; }
	why502_stop "$dir" 0
	expect "exit status 0 without a bad exchange, not $stopped" [ "$stopped" = 0 ]
}

case_count() {
	local dir=$work/count truth=$work/count.tsv
	why502_start "$dir" --pid "$(cat "$state/gateway/pid")" --count 3 || return 1
	send "$truth" -r 0 -n 5 -d 0.2 --mix conn-refused || return 1
	lines "$dir/findings.ndjson" '"type":"stats"' 1 5 "${pid_of[$dir]}" ||
		{ echo '--count did not end it'; return 1; }
	why502_stop "$dir" 0
	expect 'exactly 3 findings' [ "$(grep -c '"type":"finding"' "$dir/findings.ndjson")" = 3 ] || return 1
	expect "exit status 1, not $stopped" [ "$stopped" = 1 ]
}

# Findings, files, --count and the exit status obey --filter; the totals say what was left out.
case_filter() {
	local dir=$work/filter other=$work/filter-other.tsv
	why502_start "$dir" --pid "$(cat "$state/gateway/pid")" --count 3 --pcap-dir "$dir/files" \
		--pcap-filter 'tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) = 0' \
		--filter 'cause==backend-5xx && upstream==10.77.3.0/24 && status in (502)' || return 1
	send "$other" -r 0 -n 4 -d 0.1 --mix conn-refused || return 1
	send "$work/filter.tsv" -r 0 -n 5 -d 0.2 --mix backend-502 || return 1
	lines "$dir/findings.ndjson" '"type":"stats"' 1 5 "${pid_of[$dir]}" ||
		{ echo '--count did not end it'; return 1; }
	why502_stop "$dir" 0
	expect 'exactly 3 findings of that cause' [ "$(grep '"type":"finding"' "$dir/findings.ndjson" | grep -c '"cause":"backend-5xx"')" = 3 ] || return 1
	expect 'none of another cause' [ -z "$(of "$dir" "$other")" ] || return 1
	expect 'stats of the filter' grep -Eq '"filter":\{.*"matched":3,"left_out":[4-9]' "$dir/findings.ndjson" || return 1
	expect 'a file for each' [ "$(find "$dir/files" -name '*.pcapng' | wc -l)" = 3 ] || return 1
	expect "exit status 1, not $stopped" [ "$stopped" = 1 ] || return 1
	command -v tshark >/dev/null || return 0
	for f in "$dir"/files/*; do
		[ -n "$(tshark -r "$f" 2>/dev/null)" ] && [ -z "$(tshark -r "$f" -Y 'tcp.flags.syn==1 || tcp.flags.fin==1' 2>/dev/null)" ] ||
			{ echo "$f holds what --pcap-filter leaves out, or nothing"; return 1; }
	done
}

# Without a terminal and without options a person still reads cause and upstream.
case_text() {
	local dir=$work/text pid
	mkdir -p "$dir"
	why502_start "$dir/ready" || return 1 # the second one attaches while this one runs
	set -m
	"$O/why502" --count 1 --duration 20 --pid "$(cat "$state/gateway/pid")" >"$dir/out" 2>"$dir/err" {life}>&- &
	pid=$!
	set +m
	pid_of[$dir]=$pid
	# one request after the other until it has seen one: its start has no event in text form
	while kill -0 "$pid" 2>/dev/null; do
		send "$dir/truth.tsv" -r 0 -n 1 -d 0.01 --mix conn-refused || return 1
		timeout 0.3 tail -s 0.05 --pid="$pid" -f /dev/null
	done
	why502_stop "$dir" 0
	why502_stop "$dir/ready"
	expect 'the cause by its id or in words' grep -Eq 'conn-refused|refuses connections' "$dir/out" || { cat "$dir/out"; return 1; }
	expect 'the upstream' grep -q '10.77.3.2:9001' "$dir/out"
}

# New workers while it runs; the old ones, and their libraries, go.
case_reload() {
	local dir=$work/reload truth=$work/reload.tsv before worker
	why502_start "$dir" || return 1
	send "$work/reload-before.tsv" --tls -r 0 -n 4 -d 0.1 --mix closed-before-response || return 1
	settle "$dir" "$work/reload-before.tsv"
	before=$(pgrep -P "$(cat "$state/gateway/pid")" | sort)
	lab exec gateway nginx -p "$state/gateway" -c "$state/gateway/nginx.conf" -s reload 2>/dev/null || return 1
	for worker in $before; do
		timeout 5 tail -s 0.05 --pid="$worker" -f /dev/null || { echo "worker $worker did not leave"; return 1; }
	done
	send "$truth" --tls -r 0 -n 4 -d 0.1 --mix closed-before-response || return 1
	settle "$dir" "$truth"
	why502_stop "$dir"
	judge "$dir" "$work/reload-before.tsv" && judge "$dir" "$truth"
}

# kernel_ids: what is loaded and attached now
kernel_ids() {
	bpftool prog show 2>/dev/null | sed -n 's/^\([0-9]*\): /prog \1 /p' | cut -d ' ' -f 1-2
	bpftool link show 2>/dev/null | sed -n 's/^\([0-9]*\): .*/link \1/p'
}

# pinned_ids PID: programs and links this process holds, by its descriptors
held_ids() {
	awk '/^prog_id:/ { print "prog", $2 } /^link_id:/ { print "link", $2 }' /proc/"$1"/fdinfo/* 2>/dev/null | sort -u
}

case_kill9() {
	local dir=$work/kill9 held left i
	command -v bpftool >/dev/null || { echo 'skip: no bpftool'; return 1; }
	why502_start "$dir" || return 1
	held=$(held_ids "${pid_of[$dir]}")
	expect 'several programs and links are attached while it runs' [ "$(wc -l <<<"$held")" -ge 6 ] || return 1
	expect 'the kernel lists them' [ "$(kernel_ids | sort | comm -12 - <(sort <<<"$held") | wc -l)" -ge 6 ] || return 1
	why502_stop "$dir" KILL
	# the kernel frees programs after a grace period
	for i in $(seq 50); do
		left=$(kernel_ids | sort | comm -12 - <(sort <<<"$held"))
		[ -n "$left" ] || return 0
		read -rt 0.1 <> <(:)
	done
	echo "still there 5 s after kill -9: $left ($i tries)"
	return 1
}

# pcap_file DIR TRUTH: the pcap named by the first finding about TRUTH
pcap_file() { of "$1" "$2" | sed -n 's/.*"pcap":"\([^"]*\)".*/\1/p' | head -n 1; }

# pcap_has FILE FILTER: tshark reads it without a complaint and finds FILTER
pcap_has() {
	tshark -X "lua_script:$top/tools/wireshark/why502.lua" -r "$1" -Y "$2" >"$work/tshark.out" 2>"$work/tshark.err" || { cat "$work/tshark.err"; return 1; }
	if grep -v '^Running as user' "$work/tshark.err" | grep -q .; then
		cat "$work/tshark.err"
		return 1
	fi
	[ -s "$work/tshark.out" ] && return
	echo "no packet in $1 for: $2"
	tshark -r "$1" 2>/dev/null | head -n 20
	return 1
}

case_pcap() {
	local dir=$work/pcap fault filter truth file
	command -v tshark >/dev/null || { echo 'skip: no tshark'; return 1; }
	mkdir -p "$dir/files"
	why502_start "$dir" --pcap-dir "$dir/files" || return 1
	while read -r fault filter; do
		truth=$work/pcap-$fault.tsv
		send "$truth" -r 0 -n 1 -d 0.01 --mix "$fault" || return 1
		settle "$dir" "$truth"
		file=$(pcap_file "$dir" "$truth")
		expect "a capture file named in the finding about $fault" [ -n "$file" ] || { of "$dir" "$truth"; return 1; }
		[[ $file = /* ]] || file=$dir/files/${file##*/}
		expect "$file exists with mode 600" [ "$(stat -c %a "$file")" = 600 ] || return 1
		pcap_has "$file" "$filter" || return 1
		pcap_has "$file" "http.request.uri contains \"$(head -n 1 "$truth" | cut -f 1)\"" || [ "$fault" = keepalive-race ] || return 1
		expect "tcpdump reads $file" tcpdump -nr "$file" -w /dev/null 2>/dev/null || return 1
	done <<-'END'
		conn-refused tcp.port==9001 && tcp.flags.syn==1 && ip.dst==10.77.3.2
		conn-refused tcp.srcport==9001 && tcp.flags.reset==1
		conn-refused6 tcp.srcport==9001 && tcp.flags.reset==1 && ipv6
		reset-before-response tcp.srcport==9005 && tcp.flags.reset==1 && tcp.flags.ack==1
		closed-before-response tcp.srcport==9007 && tcp.flags.fin==1
		conn-timeout-syn tcp.dstport==9002 && tcp.flags.syn==1
		keepalive-race tcp.srcport==9010 && tcp.flags.reset==1 && tcp.flags.ack==0
		keepalive-race why502.event=="request" && why502.role=="backend" && frame.comment matches "of the gateway, reused #[0-9]+, idle"
		conn-refused why502.decided && why502.event=="rst" && why502.cause=="conn-refused" && tcp.flags.reset==1
		backend-502 why502.decided && why502.event=="response" && why502.from=="backend" && frame.packet_flags_direction==1
		conn-timeout-syn why502.event=="syn" && why502.retransmit && frame.interface_name=="backend side 10.77.3.2:9002"
		backend-502 tcp.srcport==9012 && http.response.code==502
		reset-before-response tcp.srcport==8080 && http.response.code==502
	END
	why502_stop "$dir"
}

# What tcpdump captures in the gateway's network, explained without any help of the kernel side:
# the causes of the truth, none wrong. host-unreachable-local sends no packet, so it is left out.
capture_mix=conn-refused,conn-refused6,conn-timeout-syn,host-unreachable-icmp,host-unreachable-far,\
reset-before-response,reset-before-response6,reset-unread,closed-before-response,truncated-header,\
truncated-header-rst,keepalive-race,backend-502,backend-503,backend-504,backend-slow,backend-silent,\
gateway-timeout-local,client-abort,retry-refused,retry-reset,path-loss,zero-window,header-too-big
# none_wrong TRUTH: as lab-join counted; and nine of ten are right. A connect names no request: where
# several are under way, and this machine is slow, it may not show whose it was.
none_wrong() {
	tail -n 1 "$1.join" | awk -F '[ /,]+' '
		$1 == "seen" { if ($8 == 0 && $5 * 10 >= $6 * 9) ok = 1; print }
		END { exit !ok }' || { cat "$1.join"; return 1; }
}
case_capture() {
	local dir=$work/capture truth=$work/capture.tsv tcpdump f gws rc
	mkdir -p "$dir"
	set -m
	nsenter --net="/run/netns/w5gw-$LAB_ID" tcpdump -i any -U -B 32768 -w "$dir/cap.pcap" 2>"$dir/err" {life}>&- &
	tcpdump=$!
	set +m
	if ! lines "$dir/err" 'listening on' 1 10 "$tcpdump"; then
		cat "$dir/err"
		return 1
	fi
	send "$truth" -r 80 -n 4 -d 3 --mix "$capture_mix"
	rc=$?
	# the answer to one more request is in the file: so is all before it
	send "$truth.last" -r 0 -n 1 -d 0.01 --mix backend-502 || rc=1
	for _ in $(seq 100); do
		tcpdump -r "$dir/cap.pcap" -A 2>/dev/null | grep -q "$(cut -f 1 "$truth.last")" && break
		read -rt 0.1 <> <(:)
	done
	kill -INT "$tcpdump"
	wait "$tcpdump" || :
	[ $rc = 0 ] || return 1
	cp "$dir/cap.pcap" "$dir/as.pcap"
	editcap -F pcapng "$dir/cap.pcap" "$dir/as.pcapng" 2>/dev/null || rm -f "$dir/as.pcapng"
	for f in "$dir"/as.*; do
		"$O/why502" -r "$f" -o ndjson >"$dir/findings.ndjson" 2>"$dir/err"
		rc=$?
		expect "exit status 1 for $f, not $rc" [ $rc = 1 ] || { cat "$dir/err"; return 1; }
		expect 'the gateway is found' grep -q 'gateway 10.77.1.1:8080, connects from .*10.77.2.1' "$dir/err" || { cat "$dir/err"; return 1; }
		judge "$dir" "$truth" >/dev/null
		none_wrong "$truth" || return 1
		expect 'nothing said of processes' [ "$(grep -c '"pid"\|"tid"\|"err":"E' "$dir/findings.ndjson")" = 0 ] || return 1
		expect 'counters of the file' eval "tail -n 1 '$dir/findings.ndjson' | grep -q '\"capture\":{\"packets\":[1-9]'" || return 1
	done
	# the same by hand
	"$O/why502" -r "$dir/cap.pcap" -o ndjson --gateway 10.77.1.1:8080 --gateway 10.77.2.1 --gateway fd77:2::1 >"$dir/findings.ndjson" 2>"$dir/err"
	judge "$dir" "$truth" >/dev/null
	none_wrong "$truth" || return 1
	# the backend's side alone is no gateway's, and a text is no capture
	gws=$(tcpdump -r "$dir/cap.pcap" -w "$dir/back.pcap" 'not host 10.77.1.2' 2>&1) || { echo "$gws"; return 1; }
	"$O/why502" -r "$dir/back.pcap" -o ndjson >/dev/null 2>"$dir/err"
	expect 'failure without a gateway' [ $? = 4 ] || return 1
	expect 'what to do about it' grep -q -- '--gateway' "$dir/err"
}
