// SPDX-License-Identifier: Apache-2.0
// HostOps<P>: a domain's life, vcpus, parameters, events and grants.
#pragma once

#include "hypervisor/core/host_ops.hpp"
#include "hypervisor/core/hypercall_hvm.hpp"
#include "hypervisor/core/hypercall_name.hpp"

namespace hyp {

// --- life ---

template <typename P>
HostResult HostOps<P>::destroy(HostRequest&, Domain<P>& domain) {
  const Result<void> result = parts_.lifecycle.destroy(domain);
  if (!result && result.error() == Errno::again) {
    return Progress::more;
  }
  return done(result);
}

// Answers when no vcpu runs. The vcpu of the CPU that serves is outside of the guest and does not
// go back.
template <typename P>
HostResult HostOps<P>::pause(HostRequest& request, Domain<P>& domain) {
  if (request.step == 0) {
    parts_.lifecycle.pause(domain);
    request.step = 1;
  }
  return Lifecycle<P>::is_quiet(domain, cpu_) ? Progress::done : Progress::more;
}

template <typename P>
HostResult HostOps<P>::unpause(HostRequest&, Domain<P>& domain) {
  return done(parts_.lifecycle.unpause(domain));
}

template <typename P>
HostResult HostOps<P>::shutdown(HostRequest& request, Domain<P>& domain) {
  if (request.args[0] > SHUTDOWN_MAX) {
    return fail(Errno::inval);
  }
  parts_.lifecycle.shutdown(domain, static_cast<std::uint32_t>(request.args[0]));
  return done();
}

template <typename P>
xl::abi::DomainRecord HostOps<P>::record_of(Domain<P>& domain) {
  xl::abi::DomainRecord record{};
  record.id = domain.id.value();
  record.shutdown_reason = domain.shutdown_reason.load();
  record.max_vcpus = domain.vcpu_count;
  record.pages = domain.counted_pages();
  record.max_pages = domain.max_pages;
  record.on_demand_pages = domain.promised;
  record.overhead_bytes = domain.overhead_pages.load() * xl::page_size;
  record.handle[0] = domain.handle[0];
  record.handle[1] = domain.handle[1];
  bool ready = false;
  bool blocked = true;
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    Vcpu<P>& vcpu = *domain.vcpus[i];
    record.cpu_time_ns +=
        parts_.core.scheduler.runstate(vcpu).ns[static_cast<unsigned>(RunState::running)];
    if (vcpu.online.load()) {
      ++record.vcpus_online;
      ready = ready || vcpu.running.load() || vcpu.queued.load();
      blocked = blocked && vcpu.blocked.load();
    }
  }
  record.flags =
      (ready ? xl::abi::domain_flag_running : 0U) |
      (!ready && blocked && record.vcpus_online != 0 ? xl::abi::domain_flag_blocked : 0U) |
      (domain.pauses.load() != 0 ? xl::abi::domain_flag_paused : 0U) |
      (domain.dying.load() ? xl::abi::domain_flag_dying : 0U) |
      (domain.shut_down.load() ? xl::abi::domain_flag_shutdown : 0U) |
      (domain.user_mode.load() ? xl::abi::domain_flag_user_mode : 0U);
  return record;
}

template <typename P>
HostResult HostOps<P>::info(HostRequest& request, Domain<P>& domain) {
  (void)request.put(record_of(domain));
  return done();
}

// --- vcpus ---

template <typename P>
template <typename Work>
HostResult HostOps<P>::while_quiet(HostRequest& request, Domain<P>& domain, Work&& work) {
  if (request.args[0] >= domain.vcpu_count) {
    return fail(Errno::inval);
  }
  if (request.step == 0) {
    parts_.lifecycle.pause(domain);
    request.step = 1;
  }
  if (!Lifecycle<P>::is_quiet(domain, cpu_)) {
    return Progress::more;
  }
  const Result<void> result = work(*domain.vcpus[request.args[0]]);
  XL_TRY(parts_.lifecycle.unpause(domain));
  return done(result);
}

template <typename P>
HostResult HostOps<P>::get_context(HostRequest& request, Domain<P>& domain) {
  return while_quiet(request, domain, [&](Vcpu<P>& vcpu) -> Result<void> {
    xl::abi::VcpuContextRecord record{};
    if (vcpu.initialised.load()) {
      parts_.core.platform.get_context(vcpu, record);
    }
    (void)request.put(record);
    return {};
  });
}

template <typename P>
HostResult HostOps<P>::set_context(HostRequest& request, Domain<P>& domain) {
  if (request.input_bytes != sizeof(xl::abi::VcpuContextRecord)) {
    return fail(Errno::inval);
  }
  return while_quiet(request, domain, [&](Vcpu<P>& vcpu) -> Result<void> {
    const auto record = request.row<xl::abi::VcpuContextRecord>(0);
    XL_TRY(parts_.core.platform.set_context(vcpu, record));
    vcpu.initialised.store(true);
    parts_.lifecycle.vcpu_up(vcpu);
    return {};
  });
}

template <typename P>
HostResult HostOps<P>::vcpu_info(HostRequest& request, Domain<P>& domain) {
  if (request.args[0] >= domain.vcpu_count) {
    return fail(Errno::inval);
  }
  Vcpu<P>& vcpu = *domain.vcpus[request.args[0]];
  request.results[0] = (vcpu.online.load() ? 1U : 0U) | (vcpu.blocked.load() ? 2U : 0U) |
                       (vcpu.running.load() ? 4U : 0U);
  request.results[1] = vcpu.cpu.load();
  request.results[2] =
      parts_.core.scheduler.runstate(vcpu).ns[static_cast<unsigned>(RunState::running)];
  request.results[3] = vcpu.hard_affinity & parts_.core.scheduler.all_cpus();
  request.results[4] = vcpu.soft_affinity & parts_.core.scheduler.all_cpus();
  return done();
}

// --- parameters ---

template <typename P>
HostResult HostOps<P>::set_params(HostRequest& request, Domain<P>& domain) {
  using xl::abi::HvmParamRecord;
  if (!request.whole_rows<HvmParamRecord>()) {
    return fail(Errno::inval);
  }
  const std::uint64_t rows = request.rows<HvmParamRecord>();
  for (std::uint64_t i = 0; i < rows; ++i) {
    if (request.row<HvmParamRecord>(i).index >= HVM_NR_PARAMS) {
      return fail(Errno::inval);
    }
  }
  for (std::uint64_t i = 0; i < rows; ++i) {
    const auto record = request.row<HvmParamRecord>(i);
    domain.params[record.index] = record.value;
    if (record.index == HVM_PARAM_CALLBACK_IRQ) {
      hvm_op::set_callback(domain, record.value);
    }
  }
  return done();
}

template <typename P>
HostResult HostOps<P>::get_param(HostRequest& request, Domain<P>& domain) {
  if (request.args[0] >= HVM_NR_PARAMS) {
    return fail(Errno::inval);
  }
  request.results[0] = domain.params[request.args[0]];
  return done();
}

template <typename P>
HostResult HostOps<P>::set_cpuid(HostRequest& request, Domain<P>& domain) {
  using xl::abi::CpuidRecord;
  if (!request.whole_rows<CpuidRecord>() || request.rows<CpuidRecord>() > max_cpuid_records) {
    return fail(Errno::inval);
  }
  domain.cpuid_count = 0;
  std::memcpy(domain.cpuid.data(), request.input.data(), request.input_bytes);
  domain.cpuid_count = static_cast<unsigned>(request.rows<CpuidRecord>());
  return done();
}

// --- events and grants ---

template <typename P>
HostResult HostOps<P>::alloc_unbound(HostRequest& request, Domain<P>& domain) {
  if (request.args[0] > last_domain_id) {
    return fail(Errno::inval);
  }
  const DomId remote(static_cast<std::uint16_t>(request.args[0]));
  if (remote != domain0 && parts_.core.domains.find(remote) == nullptr) {
    return fail(Errno::srch);
  }
  XL_TRY_ASSIGN(request.results[0], parts_.events.alloc_unbound(&domain, remote));
  return done();
}

template <typename P>
HostResult HostOps<P>::bind(HostRequest& request, Domain<P>& domain) {
  if (request.args[0] > ~0U) {
    return fail(Errno::inval);
  }
  XL_TRY_ASSIGN(request.results[0],
                parts_.events.bind_interdomain(nullptr, &domain,
                                               static_cast<std::uint32_t>(request.args[0])));
  return done();
}

template <typename P>
HostResult HostOps<P>::seed(HostRequest& request, Domain<P>& domain) {
  using xl::abi::GrantSeedRecord;
  if (!request.whole_rows<GrantSeedRecord>()) {
    return fail(Errno::inval);
  }
  for (std::uint64_t i = 0; i < request.rows<GrantSeedRecord>(); ++i) {
    XL_TRY(parts_.grants.seed(domain, request.row<GrantSeedRecord>(i)));
  }
  return done();
}

template <typename P>
Errno HostOps<P>::errno_of(GrantError error) {
  switch (error) {
    case GrantError::not_peer:
    case GrantError::read_only: return Errno::perm;
    case GrantError::no_space: return Errno::nospc;
    case GrantError::bad_domain: return Errno::srch;
    default: return Errno::inval;
  }
}

template <typename P>
HostResult HostOps<P>::grant_map(HostRequest& request, Domain<P>& domain) {
  if (request.args[0] > ~0U) {
    return fail(Errno::inval);
  }
  const GrantResult<HostGrant> mapped = parts_.grants.host_map(
      domain, static_cast<std::uint32_t>(request.args[0]), request.args[1] != 0);
  if (!mapped) {
    return fail(errno_of(mapped.error()));
  }
  const HostGrant grant = *mapped;
  request.results[0] = grant.mfn.value();
  request.results[1] = grant.handle;
  return done();
}

template <typename P>
HostResult HostOps<P>::counters(HostRequest& request, Domain<P>& domain) {
  const auto put = [&request](const char* group, const char* name, std::uint64_t count) {
    if (count == 0 || name == nullptr) {
      return;
    }
    xl::abi::CounterRecord record{};
    std::size_t at = 0;
    for (const char* const part : {group, name}) {
      for (const char* c = part; *c != '\0' && at + 1 < sizeof record.name; ++c) {
        record.name[at++] = *c;
      }
    }
    record.count = count;
    (void)request.put(record);
  };
  for (unsigned cause = 0; cause < P::exit_causes; ++cause) {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < domain.vcpu_count; ++i) {
      sum += domain.vcpus[i]->exits[cause];
    }
    put("exit.", P::exit_name(cause), sum);
  }
  for (unsigned number = 0; number < hypercall_numbers; ++number) {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < domain.vcpu_count; ++i) {
      sum += domain.vcpus[i]->hypercalls[number];
    }
    put("hypercall.", hypercall_name(number), sum);
  }
  Guard guard(parts_.core.event_lock);
  put("event.", "sent", domain.events_sent);
  put("event.", "received", domain.events_received);
  return done();
}

}  // namespace hyp
