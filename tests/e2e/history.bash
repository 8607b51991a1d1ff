# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# The flight recorder in sizes other than the usual one. Sourced by run.
# shellcheck disable=SC2154 # O, work come from run

# longest FILE: the most bytes kept of a packet
longest() { tshark -r "$1" -T fields -e frame.cap_len 2>/dev/null | sort -n | tail -n 1; }

# Lengths in the files include the 16 bytes of their link header.
case_history() { # SIZE MIN-LONGEST MAX-LONGEST MAX-PACKETS-OF-A-CONN
	local size=$1 dir=$work/history-$1 truth file n
	command -v tshark >/dev/null || { echo 'skip: no tshark'; return 1; }
	mkdir -p "$dir/files"
	why502_start "$dir" --history "$size" --pcap-dir "$dir/files" || return 1
	for fault in conn-refused reset-before-response backend-502; do
		truth=$dir/$fault.tsv
		send "$truth" -r 0 -n 1 -d 0.01 --mix "$fault" || return 1
		settle "$dir" "$truth"
		judge "$dir" "$truth" || return 1
		file=$(pcap_file "$dir" "$truth")
		expect "a file about $fault" [ -s "$file" ] || return 1
		n=$(longest "$file")
		expect "at most $3 bytes of a packet, not $n" [ "$n" -le "$3" ] || return 1
		n=$(tshark -r "$file" -T fields -e tcp.stream 2>/dev/null | sort | uniq -c | sort -n | awk 'END { print $1 }')
		expect "at most $4 packets of a connection, not $n" [ "$n" -le "$4" ] || return 1
		if [ "$fault" = conn-refused ]; then
			# both legs, from the SYN on, of a connect that failed
			pcap_has "$file" 'tcp.dstport==9001 && tcp.flags.syn==1' || return 1
			pcap_has "$file" 'tcp.srcport==9001 && tcp.flags.reset==1' || return 1
			pcap_has "$file" 'tcp.dstport==8080 && http.request' || [ "$3" -lt 144 ] || return 1
			n=$(longest "$file")
			expect "more than $2 bytes of the request, not $n" [ "$n" -gt "$2" ] || return 1
		fi
	done
	why502_stop "$dir"
}

# What it costs, for the connections there are.
case_history_cost() {
	lab load -r 200 -n 200 -d 3 >"$work/cost.out" &
	local load=$! cost
	lines <(tail -n 0 -f "$state/log/access.log") . 100 5
	"$O/why502" doctor --history 32x256 >"$work/doctor" || { cat "$work/doctor"; kill $load; return 1; }
	wait $load
	cost=$(sed -n 's/^memory .* \([0-9.]*\) KB x \([0-9,]*\) connections = \([0-9.]*\) \([KM]B\).*/\1 \2 \3 \4/p' "$work/doctor")
	expect 'a line about memory' [ -n "$cost" ] || { cat "$work/doctor"; return 1; }
	expect 'some connections, and each times their number' awk -v s="$cost" 'BEGIN {
		split(s, f, " "); gsub(",", "", f[2]); all = f[1] * f[2]
		if (f[4] == "MB") all /= 1024
		exit !(f[2] > 0 && all - f[3] < 0.06 * all + 0.06 && f[3] - all < 0.06 * all + 0.06) }' || { echo "$cost"; return 1; }
}
