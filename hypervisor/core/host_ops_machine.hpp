// SPDX-License-Identifier: Apache-2.0
// HostOps<P>: dispatch, and the requests about the whole machine.
#pragma once

#include "hypervisor/core/host_ops.hpp"

namespace hyp {

template <typename P>
HostResult HostOps<P>::run(HostRequest& request, unsigned cpu) {
  cpu_ = cpu;
  const Handler handler = handler_of(request.op);
  if (handler == nullptr) {
    return run_global(request);
  }
  Domain<P>* const domain = parts_.core.domains.find(request.domain);
  if (domain == nullptr) {
    if (request.op == xl::abi::Op::counters && request.domain == DomId()) {
      return machine_counters(request);
    }
    return fail(Errno::srch);
  }
  return (this->*handler)(request, *domain);
}

template <typename P>
typename HostOps<P>::Handler HostOps<P>::handler_of(xl::abi::Op op) const {
  using xl::abi::Op;
  switch (op) {
    case Op::destroy_domain: return &HostOps::destroy;
    case Op::pause: return &HostOps::pause;
    case Op::unpause: return &HostOps::unpause;
    case Op::domain_info: return &HostOps::info;
    case Op::shutdown_domain: return &HostOps::shutdown;
    case Op::set_max_memory: return &HostOps::set_max_memory;
    case Op::populate: return &HostOps::populate;
    case Op::translate: return &HostOps::translate;
    case Op::populate_on_demand: return &HostOps::populate_on_demand;
    case Op::set_memory_target: return &HostOps::set_memory_target;
    case Op::list_extents: return &HostOps::list_extents;
    case Op::copy_to_guest: return &HostOps::copy_to;
    case Op::copy_from_guest: return &HostOps::copy_from;
    case Op::set_memory_map: return &HostOps::set_memory_map;
    case Op::set_hvm_params: return &HostOps::set_params;
    case Op::get_hvm_param: return &HostOps::get_param;
    case Op::set_cpuid_policy: return &HostOps::set_cpuid;
    case Op::get_vcpu_context: return &HostOps::get_context;
    case Op::set_vcpu_context: return &HostOps::set_context;
    case Op::vcpu_info: return &HostOps::vcpu_info;
    case Op::event_alloc_unbound: return &HostOps::alloc_unbound;
    case Op::event_bind: return &HostOps::bind;
    case Op::grant_seed: return &HostOps::seed;
    case Op::grant_map: return &HostOps::grant_map;
    case Op::counters: return &HostOps::counters;
    case Op::set_vcpu_affinity: return &HostOps::set_affinity;
    case Op::set_scheduling: return &HostOps::set_scheduling;
    case Op::get_scheduling: return &HostOps::get_scheduling;
    case Op::send_trigger: return &HostOps::send_trigger;
    case Op::resume: return &HostOps::resume;
    case Op::soft_reset: return &HostOps::soft_reset;
    default: return nullptr;
  }
}

template <typename P>
HostResult HostOps<P>::run_global(HostRequest& request) {
  using xl::abi::Op;
  const auto port =
      static_cast<std::uint32_t>(request.args[0] < xl::abi::domain0_ports ? request.args[0] : 0);
  switch (request.op) {
    case Op::ping: return done();
    case Op::host_info: return host_info(request);
    case Op::create_domain: return create_domain(request);
    case Op::list_domains: return list_domains(request);
    case Op::take_state_changes: return take_state_changes(request);
    // Only a port that is not in use can be at fault.
    case Op::event_close: return parts_.events.close(nullptr, port) ? done() : fail(Errno::noent);
    case Op::event_notify: return parts_.events.send(nullptr, port) ? done() : fail(Errno::noent);
    case Op::grant_unmap:
      return parts_.grants.host_unmap(request.args[0]) ? done() : fail(Errno::inval);
    case Op::take_freed_frames: return take_freed(request);
    case Op::return_freed_frames: parts_.core.frames.return_freed(); return done();
    case Op::list_bindings: return list_bindings(request);
    case Op::attach: return attach(request);
    default: return fail(Errno::nosys);
  }
}

template <typename P>
HostResult HostOps<P>::host_info(HostRequest& request) {
  typename Frames<P>::Counts counts;
  parts_.reaper.between_steps([&](std::uint64_t dying) {
    counts = parts_.core.frames.counts();
    // What is promised to domains is spent, for whoever asks whether there is room for another.
    const std::uint64_t unused = counts.free() + dying;
    const std::uint64_t promised = parts_.core.promised.load();
    request.results[0] = unused > promised ? unused - promised : 0;
    request.results[1] = counts.dirty + counts.offered + dying;
  });
  request.results[2] = parts_.core.header().hypervisor_pages + counts.metadata +
                       parts_.core.hypervisor_frames.load();
  request.results[3] = parts_.core.platform.now_ns();
  return done();
}

template <typename P>
HostResult HostOps<P>::create_domain(HostRequest& request) {
  CreateOptions options;
  options.max_vcpus = request.args[0];
  options.max_pages = request.args[1];
  options.flags = request.args[2];
  options.handle[0] = request.args[3];
  options.handle[1] = request.args[4];
  XL_TRY_ASSIGN(const DomId id, parts_.lifecycle.create(options));
  request.results[0] = id.value();
  return done();
}

template <typename P>
HostResult HostOps<P>::list_domains(HostRequest& request) {
  std::uint64_t from = request.args[0];
  for (;;) {
    Domain<P>* const domain = from > last_domain_id
                                  ? nullptr
                                  : parts_.core.domains.at_or_after(static_cast<unsigned>(from));
    if (domain == nullptr) {
      return done();
    }
    if (!request.put(record_of(*domain))) {
      request.results[0] = 1;
      return done();
    }
    from = domain->id.value() + 1U;
  }
}

template <typename P>
HostResult HostOps<P>::take_state_changes(HostRequest& request) {
  for (unsigned word = 0; word <= last_domain_id / 64U; ++word) {
    // SAFETY: a whole frame, read as words.
    const auto* const at = reinterpret_cast<const std::uint64_t*>(parts_.core.changed) + word;
    if (shared_word::load<std::uint64_t>(at) == 0) {
      continue;
    }
    for (unsigned id = word * 64; id < (word + 1) * 64; ++id) {
      if (!shared_word::test_and_clear(parts_.core.changed, id)) {
        continue;
      }
      if (!request.put(std::uint32_t{id})) {
        shared_word::test_and_set(parts_.core.changed, id);
        request.results[0] = 1;
        return done();
      }
    }
  }
  return done();
}

template <typename P>
HostResult HostOps<P>::take_freed(HostRequest& request) {
  constexpr unsigned capacity = xl::abi::bulk_size / sizeof(xl::abi::ExtentRecord);
  // SAFETY: the request's own copy buffer, aligned; its content has been used.
  auto* const records = reinterpret_cast<xl::abi::ExtentRecord*>(request.input.data());
  const unsigned count = parts_.core.frames.take_freed(records, capacity);
  for (unsigned i = 0; i < count; ++i) {
    (void)request.put(records[i]);
  }
  shared_word::store<std::uint64_t>(&parts_.core.header().releasable_pages,
                                    parts_.core.frames.counts().offerable());
  return done();
}

template <typename P>
HostResult HostOps<P>::machine_counters(HostRequest& request) {
  const auto put = [&request](const char* name, std::uint64_t count) {
    xl::abi::CounterRecord record{};
    for (std::size_t i = 0; i + 1 < sizeof record.name && name[i] != '\0'; ++i) {
      record.name[i] = name[i];
    }
    record.count = count;
    (void)request.put(record);
  };
  const auto counts = parts_.core.frames.counts();
  put("frames.clean", counts.clean);
  put("frames.dirty", counts.dirty);
  put("frames.offered", counts.offered);
  put("frames.total", counts.total);
  put("frames.dying", parts_.reaper.pending_frames());
  put("frames.own", parts_.core.hypervisor_frames.load());
  put("domains", parts_.core.domains.count());
  return done();
}

}  // namespace hyp
