-- SPDX-License-Identifier: BSD-2-Clause
--
-- Fields out of the comments that why502 puts on packets of its pcapng files:
--
--   tshark -X lua_script:why502.lua -r FILE -Y 'why502.event == "rst"' \
--          -T fields -e frame.time -e why502.role -e why502.event -e why502.cause
--
-- In Wireshark: copy this file to the folder of personal Lua plugins (Help, About, Folders),
-- then filter by why502.cause or add it as a column. A comment's line of keys begins with
-- "why502."; words of the wire never do.

local proto = Proto("why502", "why502: why a gateway answered 502")

-- key -> field; what has no row here is in the comment all the same
local fields = {
	finding = ProtoField.uint32("why502.finding", "Finding"),
	cause = ProtoField.string("why502.cause", "Cause of the finding"),
	confidence = ProtoField.string("why502.confidence", "Confidence"),
	status = ProtoField.uint16("why502.status", "Status the client got"),
	role = ProtoField.string("why502.role", "Leg: client or backend"),
	event = ProtoField.string("why502.event", "What this packet is"),
	from = ProtoField.string("why502.from", "Sent by"),
	rel_ms = ProtoField.double("why502.rel_ms", "Milliseconds since the client's request"),
	attempt = ProtoField.uint16("why502.attempt", "Attempt"),
	upstream = ProtoField.string("why502.upstream", "Upstream"),
	attempt_cause = ProtoField.string("why502.attempt_cause", "Cause of the attempt's failure"),
	retransmit = ProtoField.bool("why502.retransmit", "Sent again"),
	other = ProtoField.bool("why502.other", "Of another request on this connection"),
	decided = ProtoField.bool("why502.decided", "Decided the finding"),
	means = ProtoField.string("why502.means", "Meaning"),
}

local convert = {
	finding = tonumber,
	status = tonumber,
	rel_ms = tonumber,
	attempt = tonumber,
	retransmit = function(v) return v == "1" end,
	other = function(v) return v == "1" end,
	decided = function(v) return v == "1" end,
}

local list = {}
for _, field in pairs(fields) do
	list[#list + 1] = field
end
proto.fields = list

local comments = Field.new("frame.comment")

local function add(tree, comment)
	local means, keys = nil, nil

	for line in comment:gmatch("[^\r\n]+") do
		if line:sub(1, 7) == "why502." then
			keys = line
		elseif not means then
			means = line
		end
	end
	if not keys then
		return -- somebody else's comment
	end
	local sub = tree:add(proto)
	if means then
		sub:add(fields.means, means):set_generated()
		sub:append_text(": " .. means)
	end
	for key, value in keys:gmatch("why502%.([%w_]+)=(%S+)") do
		local field = fields[key]

		if field then
			if convert[key] then
				value = convert[key](value)
			end
			if value ~= nil then
				sub:add(field, value):set_generated()
			end
		end
	end
end

function proto.dissector(buffer, pinfo, tree)
	for _, comment in ipairs({ comments() }) do
		add(tree, comment.value)
	end
end

register_postdissector(proto)
