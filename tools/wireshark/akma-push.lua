-- Wireshark dissector for the datagrams of protocol 1 (docs/specification.md 4). It shows what is in the
-- clear; it knows no keys and opens nothing. UDP payloads are recognised by their header on any port; one
-- that breaks a rule is left to other dissectors, unless Decode As names akma_push for its port: then it
-- is shown with what is wrong. Tested with Wireshark 4.0.

local HEADER, TAG, LENGTH_MAX = 32, 16, 1232
local LENGTH_MIN = HEADER + TAG
local PUSH, ACK = 1, 2

local types = { [PUSH] = "PUSH", [ACK] = "ACK" }
local suites = { [1] = "AES-128-GCM", [2] = "AES-256-GCM" }
local statuses = {
  [0] = "received",
  [1] = "acted upon",
  [2] = "refused by the application",
  [3] = "too old",
}
local may_reply = { [1] = true, [2] = true }

local akma_push = Proto("akma_push", "AKMA push, protocol 1")

local f = {
  version = ProtoField.uint8("akma_push.version", "Version", base.DEC, nil, 0xf0),
  type = ProtoField.uint8("akma_push.type", "Type", base.DEC, types, 0x0f),
  suite = ProtoField.uint8("akma_push.suite", "Suite", base.DEC, suites),
  flags = ProtoField.uint8("akma_push.flags", "Flags", base.HEX),
  flags_ack = ProtoField.bool("akma_push.flags.ack", "ACK wanted", 8, nil, 0x01),
  flags_ordered = ProtoField.bool("akma_push.flags.ordered", "Ordered", 8, nil, 0x02),
  segment = ProtoField.uint8("akma_push.segment", "Segment", base.HEX),
  index = ProtoField.uint8("akma_push.segment.index", "Index", base.DEC, nil, 0xf0),
  count = ProtoField.uint8("akma_push.segment.count", "Count", base.DEC),
  selector = ProtoField.bytes("akma_push.selector", "Selector"),
  push_id = ProtoField.guid("akma_push.push_id", "Push ID"),
  made = ProtoField.absolute_time("akma_push.push_id.time", "Made at", base.UTC),
  ref = ProtoField.uint32("akma_push.ref", "Ref", base.HEX),
  expiry = ProtoField.absolute_time("akma_push.expiry", "Expiry", base.UTC),
  status = ProtoField.uint8("akma_push.status", "Status", base.DEC, statuses),
  salt = ProtoField.bytes("akma_push.salt", "Salt"),
  salt_part = ProtoField.bytes("akma_push.salt.part", "Part of the salt"),
  ciphertext = ProtoField.bytes("akma_push.ciphertext", "Ciphertext"),
  tag = ProtoField.bytes("akma_push.tag", "Tag"),
}
akma_push.fields = f

-- The octet at an offset; nil behind the end of what was captured.
local function octet(tvb, at)
  return at < tvb:captured_len() and tvb(at, 1):uint() or nil
end

local function type_of(tvb)
  local first = octet(tvb, 0)
  return first and first % 16
end

-- What a datagram must be (4.1, 4.3, 4.6; RFC 9562 5.7 for push_id), in the order of its octets. A rule
-- is asked when octet `at` was captured, and with that all before it. One list for both uses: whom the
-- heuristic takes, and what is wrong with a datagram that is shown by force.
local rules = {
  {
    name = "length", at = -1, text = "Not of 48 to 1232 octets",
    good = function(tvb)
      return tvb:reported_len() >= LENGTH_MIN and tvb:reported_len() <= LENGTH_MAX
    end,
  },
  {
    name = "version", at = 0, text = "The version is not 1",
    good = function(tvb) return math.floor(octet(tvb, 0) / 16) == 1 end,
  },
  {
    name = "type", at = 0, text = "The type is neither PUSH nor ACK",
    good = function(tvb) return types[type_of(tvb)] ~= nil end,
  },
  {
    name = "suite", at = 1, text = "There is no such suite",
    good = function(tvb) return suites[octet(tvb, 1)] ~= nil end,
  },
  {
    name = "flags", at = 2, text = "Reserved flags are set",
    good = function(tvb) return octet(tvb, 2) <= (type_of(tvb) == ACK and 0 or 3) end,
  },
  {
    name = "segment", at = 3, text = "There is no such segment",
    good = function(tvb)
      local segment = octet(tvb, 3)
      if type_of(tvb) == ACK then return segment == 0 end
      return math.floor(segment / 16) <= segment % 16
    end,
  },
  {
    name = "push_id", at = 16, text = "The push ID is no UUID of version 7",
    good = function(tvb)
      return math.floor(octet(tvb, 14) / 16) == 7 and math.floor(octet(tvb, 16) / 64) == 2
    end,
  },
  {
    name = "status", at = 28, text = "There is no such status",
    good = function(tvb) return type_of(tvb) ~= ACK or statuses[octet(tvb, 28)] ~= nil end,
  },
  {
    name = "reply", at = 28, text = "No reply may come with this status",
    good = function(tvb)
      local status = octet(tvb, 28)
      return type_of(tvb) ~= ACK or statuses[status] == nil or may_reply[status]
        or tvb:reported_len() <= LENGTH_MIN
    end,
  },
}

local experts = {
  cut = ProtoExpert.new("akma_push.cut", "Cut by the capture", expert.group.UNDECODED,
    expert.severity.NOTE),
}
for _, rule in ipairs(rules) do
  experts[rule.name] = ProtoExpert.new("akma_push." .. rule.name .. ".invalid", rule.text,
    expert.group.MALFORMED, expert.severity.ERROR)
end
akma_push.experts = experts

-- The rules that a datagram breaks, as far as it was captured.
local function broken(tvb)
  local found = {}
  for _, rule in ipairs(rules) do
    if rule.at < tvb:captured_len() and not rule.good(tvb) then
      found[#found + 1] = rule
    end
  end
  return found
end

-- Adds a field if all of it was captured. The item, or nil.
local function add(tree, field, tvb, at, len, ...)
  if at + len > tvb:captured_len() then return nil end
  return tree:add(field, tvb(at, len), ...)
end

local function add_flags(tree, tvb)
  local item = add(tree, f.flags, tvb, 2, 1)
  if item and type_of(tvb) == PUSH then
    item:add(f.flags_ack, tvb(2, 1))
    item:add(f.flags_ordered, tvb(2, 1))
  end
end

local function add_segment(tree, tvb)
  local item = add(tree, f.segment, tvb, 3, 1)
  if item and type_of(tvb) == PUSH then
    item:add(f.index, tvb(3, 1))
    item:add(f.count, tvb(3, 1), octet(tvb, 3) % 16 + 1) -- count - 1 is what is sent
  end
end

local function add_push_id(tree, tvb)
  local item = add(tree, f.push_id, tvb, 8, 16)
  if item then -- Unix milliseconds in 48 bits, RFC 9562 5.7
    local ms = tvb(8, 2):uint() * 2 ^ 32 + tvb(10, 4):uint()
    local s = math.floor(ms / 1000)
    item:add(f.made, tvb(8, 6), NSTime.new(s, (ms - s * 1000) * 1000000)):set_generated()
  end
end

-- The salt stands in two places (4.1). As one field of 7 octets it has a page of its own.
local function add_salt(tree, tvb)
  if tvb:captured_len() < HEADER then
    add(tree, f.salt_part, tvb, 4, 4)
    return
  end
  local salt = tvb(4, 4):bytes() .. tvb(29, 3):bytes()
  local item = tree:add(f.salt, salt:tvb("Salt")())
  item:add(f.salt_part, tvb(4, 4))
  item:add(f.salt_part, tvb(29, 3))
end

-- What stands behind the header. How long the ciphertext is follows from the length on the wire, also
-- when less was captured.
local function add_sealed(tree, tvb)
  local n = tvb:reported_len() - LENGTH_MIN
  local captured = math.min(n, tvb:captured_len() - HEADER)
  if captured > 0 then
    add(tree, f.ciphertext, tvb, HEADER, captured)
  end
  if n >= 0 then
    add(tree, f.tag, tvb, HEADER + n, TAG)
  end
end

local function add_parts(tree, tvb)
  local type = type_of(tvb)
  add(tree, f.version, tvb, 0, 1)
  add(tree, f.type, tvb, 0, 1)
  add(tree, f.suite, tvb, 1, 1)
  add_flags(tree, tvb)
  add_segment(tree, tvb)
  if type == PUSH then add(tree, f.selector, tvb, 4, 4) end
  add_push_id(tree, tvb)
  add(tree, f.ref, tvb, 24, 4)
  if type == PUSH then add(tree, f.expiry, tvb, 28, 4) end
  if type == ACK then
    add(tree, f.status, tvb, 28, 1)
    add_salt(tree, tvb)
  end
  add_sealed(tree, tvb)
end

-- For people: segments are counted from 1 here, as in "1/3"; akma_push.segment.index is as it is sent.
local function summary_of(tvb)
  local type = type_of(tvb)
  if tvb:captured_len() < HEADER or not types[type] then
    return types[type] or "AKMA push"
  end
  local segment, status = octet(tvb, 3), octet(tvb, 28)
  local what = type == PUSH
    and string.format("segment %d/%d", math.floor(segment / 16) + 1, segment % 16 + 1)
    or string.format("status %d (%s)", status, statuses[status] or "unknown")
  return string.format("%s %s ref 0x%08x suite %d", types[type], what, tvb(24, 4):uint(), octet(tvb, 1))
end

function akma_push.dissector(tvb, pinfo, root)
  local flaws, summary = broken(tvb), summary_of(tvb)
  local tree = root:add(akma_push, tvb())

  add_parts(tree, tvb)
  for _, rule in ipairs(flaws) do
    tree:add_proto_expert_info(experts[rule.name])
  end
  if tvb:captured_len() < tvb:reported_len() then
    tree:add_proto_expert_info(experts.cut)
  end
  pinfo.cols.protocol = "AKMA-PUSH"
  pinfo.cols.info = summary .. (#flaws > 0 and " [malformed]" or "")
  tree:append_text(", " .. summary)
  return tvb:captured_len()
end

-- Random octets pass once in 250 million times; what is cut inside the header is not
-- guessed at.
local function heuristic(tvb, pinfo, root)
  if tvb:captured_len() < HEADER or #broken(tvb) > 0 then return false end
  akma_push.dissector(tvb, pinfo, root)
  return true
end

akma_push:register_heuristic("udp", heuristic)
DissectorTable.get("udp.port"):add_for_decode_as(akma_push)
