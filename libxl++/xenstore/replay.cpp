// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/replay.hpp"

#include <utility>

#include "libxl++/xenstore/path.hpp"
#include "libxl++/xenstore/record_reader.hpp"
#include "libxl++/xenstore/wire.hpp"

namespace xl::xenstore {
namespace {

constexpr std::uint64_t max_permissions = 4096;  // more do not fit into a message

bool is_path(std::string_view path, bool allow_special = false) {
  const auto resolved = resolve_path(path, DomId(0), allow_special);
  return resolved && *resolved == path;
}

}  // namespace

bool Replay::apply(std::string_view batch) {
  RecordReader reader(batch);
  while (!reader.empty()) {
    if (!apply_one(reader)) {
      return false;
    }
  }
  return true;
}

bool Replay::apply_one(RecordReader& reader) {
  const auto op = static_cast<Op>(reader.byte());
  switch (op) {
    case Op::put:
    case Op::erase:
    case Op::special:
    case Op::node:
    case Op::next_generation: return apply_to_tree(op, reader);
    case Op::limit:
    case Op::features:
    case Op::forget: return apply_arrangement(op, reader);
    default: return apply_to_guest(op, reader);
  }
}

bool Replay::apply_arrangement(Op op, RecordReader& reader) {
  if (op == Op::limit) {
    const std::uint64_t domain = reader.number(std::uint64_t{UINT16_MAX} + 1);
    const LimitField* field = find_limit(reader.text());
    const std::uint64_t value = reader.number();
    if (!reader.ok() || field == nullptr) {
      return false;
    }
    store_.set_limit(
        domain == 0 ? std::nullopt : std::optional(DomId(static_cast<std::uint16_t>(domain - 1))),
        *field, value);
    return true;
  }
  const DomId domain(static_cast<std::uint16_t>(reader.number(UINT16_MAX)));
  const auto features =
      static_cast<std::uint32_t>(op == Op::features ? reader.number(UINT32_MAX) : 0);
  if (!reader.ok()) {
    return false;
  }
  if (op == Op::features) {
    store_.set_features(domain, features);
  } else {
    store_.drop_arrangements(domain);
  }
  return true;
}

bool Replay::apply_to_tree(Op op, RecordReader& reader) {
  Tree& tree = store_.tree();
  if (op == Op::next_generation) {
    tree.restore_next_generation(reader.number());
    return reader.ok();
  }
  const std::string_view path = reader.text();
  if (op == Op::erase) {
    return reader.ok() && is_path(path) && path != "/" && !tree.erase(path).empty();
  }
  std::string value(op == Op::special ? std::string_view() : reader.text());
  PermissionsRef allowed = permissions(reader);
  if (allowed == nullptr) {
    return false;
  }
  if (op == Op::special) {
    return store_.set_special_permissions(path, *allowed).has_value();
  }
  if (!is_path(path) || tree.find(parent_of(path)) == nullptr) {
    return false;
  }
  if (op == Op::put) {
    tree.put(path, {std::move(value), std::move(allowed)});
    return true;
  }
  const std::uint64_t generation = reader.number();
  const std::uint64_t children_generation = reader.number();
  return reader.ok() && tree.restore(path, {std::move(value), std::move(allowed)}, generation,
                                     children_generation);
}

// Equal ones are one, as they were before.
PermissionsRef Replay::permissions(RecordReader& reader) {
  const std::string_view start = reader.rest();
  Permissions list;
  for (std::uint64_t left = reader.number(max_permissions); left != 0 && reader.ok(); --left) {
    const DomId domain(static_cast<std::uint16_t>(reader.number(UINT16_MAX)));
    list.push_back({domain, static_cast<Access>(reader.number(3))});
  }
  if (!reader.ok() || list.empty()) {
    return nullptr;
  }
  PermissionsRef& known =
      known_permissions_[std::string(start.substr(0, start.size() - reader.rest().size()))];
  if (known == nullptr) {
    known = std::make_shared<const Permissions>(std::move(list));
  }
  return known;
}

bool Replay::introduce(DomId domain) {
  if (domain == DomId(0)) {
    return false;
  }
  const auto [entry, is_new] = guests_.try_emplace(domain.value());
  if (!is_new) {
    return false;
  }
  entry->second = std::make_unique<Connection>(store_, Caller{domain, std::nullopt}, nullptr);
  store_.restore_introduced(domain, *entry->second);
  return true;
}

bool Replay::apply_to_guest(Op op, RecordReader& reader) {
  const DomId domain(static_cast<std::uint16_t>(reader.number(UINT16_MAX)));
  if (!reader.ok()) {
    return false;
  }
  if (op == Op::introduce) {
    return introduce(domain);
  }
  const auto found = guests_.find(domain.value());
  if (found == guests_.end()) {
    return false;
  }
  Connection& guest = *found->second;
  switch (op) {
    case Op::release:
      store_.release(domain);
      guests_.erase(found);
      return true;
    case Op::target:
      guest.set_target(DomId(static_cast<std::uint16_t>(reader.number(UINT16_MAX))));
      break;
    case Op::watch: return watch(guest, reader);
    case Op::unwatch: {
      const std::string_view path = reader.text();
      const std::string_view token = reader.text();
      return reader.ok() && guest.restore_unwatch(path, token);
    }
    case Op::reset_watches: guest.restore_reset_watches(); break;
    case Op::reset: guest.reset(); break;
    case Op::transaction_start:
      guest.restore_transaction(static_cast<std::uint32_t>(reader.number(UINT32_MAX)));
      break;
    case Op::transaction_end:
      guest.restore_transaction_end(static_cast<std::uint32_t>(reader.number(UINT32_MAX)));
      break;
    case Op::step: return step(guest, reader);
    default: return false;
  }
  return reader.ok();
}

bool Replay::watch(Connection& guest, RecordReader& reader) {
  const std::string_view path = reader.text();
  const std::string_view token = reader.text();
  const std::uint64_t prefix = reader.number();
  const std::uint64_t depth = reader.number(std::uint64_t{UINT32_MAX} + 1);
  if (!reader.ok() || !is_path(path, true) || prefix > path.size() || token.size() > max_payload) {
    return false;
  }
  guest.restore_watch(
      std::string(path), std::string(token), prefix,
      depth == 0 ? std::nullopt : std::optional(static_cast<std::uint32_t>(depth - 1)));
  return true;
}

bool Replay::step(Connection& guest, RecordReader& reader) {
  const std::uint64_t flags = reader.number();
  const auto word = [&] { return static_cast<std::uint32_t>(reader.number(UINT32_MAX)); };
  Step step;
  if ((flags & step_flags::has_position) != 0) {
    step.position.emplace();
    step.position->requests_taken = word();
    step.position->responses_put = word();
    step.position->error = word();
  }
  step.broken = (flags & step_flags::broken) != 0;
  step.introduced = (flags & step_flags::introduced) != 0;
  step.sent = reader.number();
  for (std::uint64_t left = reader.number(); left != 0 && reader.ok(); --left) {
    const bool is_event = reader.number(1) != 0;
    step.queued.push_back({reader.text(), is_event});
  }
  step.input = reader.text();
  return reader.ok() && guest.restore_step(step);
}

}  // namespace xl::xenstore
