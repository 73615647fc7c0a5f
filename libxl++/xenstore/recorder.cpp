// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/recorder.hpp"

namespace xl::xenstore {
namespace {

constexpr std::size_t kept_room = 64 << 10;
constexpr std::size_t full_batch = 256 << 10;

}  // namespace

void Recorder::start(Op op) {
  if (sink_ && batch_.size() >= full_batch) {
    finish();
  }
  batch_ += static_cast<char>(op);
}

void Recorder::start(Op op, DomId domain) {
  start(op);
  number(domain.value());
}

void Recorder::number(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    batch_ += static_cast<char>(value | 0x80);
  }
  batch_ += static_cast<char>(value);
}

void Recorder::text(std::string_view text) {
  number(text.size());
  batch_ += text;
}

void Recorder::permissions(const Permissions& permissions) {
  number(permissions.size());
  for (const Permission& permission : permissions) {
    number(permission.domain.value());
    number(static_cast<std::uint64_t>(permission.access));
  }
}

void Recorder::put(std::string_view path, const NodeState& state) {
  if (enabled_) {
    start(Op::put);
    text(path);
    text(state.value);
    permissions(*state.permissions);
  }
}

void Recorder::erase(std::string_view path) {
  if (enabled_) {
    start(Op::erase);
    text(path);
  }
}

void Recorder::special(std::string_view event, const Permissions& allowed) {
  if (enabled_) {
    start(Op::special);
    text(event);
    permissions(allowed);
  }
}

void Recorder::limit(std::optional<DomId> domain, std::string_view name, std::uint64_t value) {
  if (enabled_) {
    start(Op::limit);
    number(domain ? std::uint64_t{domain->value()} + 1 : 0);
    text(name);
    number(value);
  }
}

void Recorder::features(DomId domain, std::uint32_t features) {
  if (enabled_) {
    start(Op::features, domain);
    number(features);
  }
}

void Recorder::forget(DomId domain) {
  if (enabled_) {
    start(Op::forget, domain);
  }
}

void Recorder::introduce(DomId domain) {
  if (enabled_) {
    start(Op::introduce, domain);
  }
}

void Recorder::release(DomId domain) {
  if (enabled_) {
    start(Op::release, domain);
  }
}

void Recorder::target(DomId domain, DomId target) {
  if (enabled_) {
    start(Op::target, domain);
    number(target.value());
  }
}

void Recorder::watch(DomId domain, const Watch& watch) {
  if (enabled_) {
    start(Op::watch, domain);
    text(watch.path);
    text(watch.token);
    number(watch.relative_prefix);
    number(watch.depth ? std::uint64_t{*watch.depth} + 1 : 0);
  }
}

void Recorder::unwatch(DomId domain, std::string_view path, std::string_view token) {
  if (enabled_) {
    start(Op::unwatch, domain);
    text(path);
    text(token);
  }
}

void Recorder::reset_watches(DomId domain) {
  if (enabled_) {
    start(Op::reset_watches, domain);
  }
}

void Recorder::reset(DomId domain) {
  if (enabled_) {
    start(Op::reset, domain);
  }
}

void Recorder::transaction_start(DomId domain, std::uint32_t id) {
  if (enabled_) {
    start(Op::transaction_start, domain);
    number(id);
  }
}

void Recorder::transaction_end(DomId domain, std::uint32_t id) {
  if (enabled_) {
    start(Op::transaction_end, domain);
    number(id);
  }
}

void Recorder::step(DomId domain, const Step& step) {
  if (!enabled_) {
    return;
  }
  start(Op::step, domain);
  number((step.position ? step_flags::has_position : 0) | (step.broken ? step_flags::broken : 0) |
         (step.introduced ? step_flags::introduced : 0));
  if (step.position) {
    number(step.position->requests_taken);
    number(step.position->responses_put);
    number(step.position->error);
  }
  number(step.sent);
  number(step.queued.size());
  for (const Step::Output& output : step.queued) {
    number(output.is_event ? 1 : 0);
    text(output.bytes);
  }
  text(step.input);
}

void Recorder::node(std::string_view path, const NodeState& state, std::uint64_t generation,
                    std::uint64_t children_generation) {
  if (enabled_) {
    start(Op::node);
    text(path);
    text(state.value);
    permissions(*state.permissions);
    number(generation);
    number(children_generation);
  }
}

void Recorder::next_generation(std::uint64_t value) {
  if (enabled_) {
    start(Op::next_generation);
    number(value);
  }
}

void Recorder::finish() {
  if (!batch_.empty()) {
    sink_(batch_);
    batch_.clear();
  }
}

void Recorder::clear() {
  batch_.clear();
  if (batch_.capacity() > kept_room) {
    batch_.shrink_to_fit();
  }
}

}  // namespace xl::xenstore
