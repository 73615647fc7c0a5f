// SPDX-License-Identifier: Apache-2.0
// Core files: of a domain that somebody asked for, and of one that ended in a way that calls for
// one.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/new_file.hpp"
#include "base/scope_exit.hpp"
#include "libxl++/toolstack/death_policy.hpp"
#include "libxl++/toolstack/dump_files.hpp"
#include "libxl++/toolstack/engine.hpp"

namespace xl::toolstack {
namespace {

hv::Extent common_part(const hv::Extent& a, const hv::Extent& b) {
  const Gfn first = std::max(a.first, b.first);
  const Gfn end = std::min(a.first + a.count, b.first + b.count);
  return {first, first < end ? end - first : Pages(0)};
}

}  // namespace

Result<coredump::CoreInfo> Engine::describe_core(const DomainRef& domain) {
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  coredump::CoreInfo core;
  XL_TRY_ASSIGN(const hv::HostInfo host, hypervisor.host_info());
  core.hypervisor_version = host.version;
  core.capabilities = host.capabilities;
  XL_TRY_ASSIGN(const hv::DomainInfo info, hypervisor.domain_info(domain->id));
  for (std::uint32_t id = 0; id < info.max_vcpus; ++id) {
    XL_TRY_ASSIGN(const hv::VcpuInfo vcpu, hypervisor.vcpu_info(domain->id, VcpuId(id)));
    if (vcpu.online) {
      XL_TRY_ASSIGN(const hv::VcpuContext context,
                    hypervisor.get_vcpu_context(domain->id, VcpuId(id)));
      core.vcpus.push_back({VcpuId(id), context});
    }
  }
  XL_TRY_ASSIGN(core.extents, hypervisor.populated_extents(domain->id));
  return core;
}

Result<void> Engine::read_frames(const DomainRef& domain, hv::Extent frames,
                                 std::span<std::byte> into) {
  const std::lock_guard lock(domain->memory_use);
  if (domain->memory_gone) {
    return fail(ErrorId::no_such_domain, "the domain was destroyed meanwhile");
  }
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  const auto whole = hypervisor.map_frames(domain->id, frames);
  if (whole) {
    return whole->read(to_phys(frames.first), into);
  }
  std::vector<hv::Extent> parts;
  if (whole.error().code == ErrorCode::no_memory) {
    // What a live guest has not touched since, a hypervisor may have taken to give it elsewhere.
    XL_TRY_ASSIGN(parts, hypervisor.populated_extents(domain->id));
  } else if (whole.error().code == ErrorCode::invalid_argument) {
    // A live guest's balloon took some of them.
    for (std::uint64_t i = 0; i < frames.count.count(); ++i) {
      parts.push_back({frames.first + Pages(i), Pages(1)});
    }
  } else {
    return Unexpected(whole.error());
  }
  for (const hv::Extent& part : parts) {
    const hv::Extent both = common_part(part, frames);
    if (both.count == Pages(0)) {
      continue;
    }
    if (const auto mapping = hypervisor.map_frames(domain->id, both)) {
      const std::size_t at = (both.first - frames.first).count() * page_size;
      XL_TRY(mapping->read(to_phys(both.first), into.subspan(at, to_bytes(both.count).count())));
    }
  }
  return {};
}

Result<void> Engine::write_core_of(const DomainRef& domain, int fd, const DumpOptions& options,
                                   const DumpProgress& progress, const std::stop_token& cancel) {
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  if (!options.live) {
    XL_TRY(hypervisor.pause(domain->id));
  }
  const ScopeExit run_on([&] {
    if (!options.live && registry_.find(domain->id) == domain) {
      (void)hypervisor.unpause(domain->id);  // it may be going, or the hypervisor
    }
  });
  XL_TRY_ASSIGN(const coredump::CoreInfo core, describe_core(domain));
  const auto file = coredump::to_descriptor(fd);
  XL_TRY_ASSIGN(const auto out, coredump::compressed(options.compression, *file));
  return coredump::write_core(
      core,
      [&](hv::Extent frames, std::span<std::byte> into) {
        return read_frames(domain, frames, into);
      },
      *out, progress, cancel);
}

Result<void> Engine::dump_core(DomId id, int fd, const DumpOptions& options,
                               const DumpProgress& progress, std::stop_token cancel) {
  XL_TRY_ASSIGN(const DomainRef domain, registry_.get(id));
  auto written = checked(domain->session, write_core_of(domain, fd, options, progress, cancel));
  if (!written && written.error().code == ErrorCode::not_found) {
    return fail(ErrorId::no_such_domain,
                "domain '" + domain->claim.name() + "' was destroyed while its core was dumped");
  }
  if (!written) {
    return Unexpected(std::move(written).error().while_doing("dumping the core of domain " +
                                                             std::to_string(id.value())));
  }
  return written;
}

Result<std::string> Engine::write_core_file(const DomainRef& domain) {
  if (options_.dump_dir.empty()) {
    return fail(ErrorId::no_dump_folder, "there is no folder for core files",
                "start xld with --dump-dir");
  }
  const std::string name = [&] {
    const std::lock_guard lock(domain->lifecycle);
    return domain->claim.name();
  }();
  XL_TRY_ASSIGN(const std::string path,
                prepare_dump_file(options_.dump_dir, name, std::chrono::system_clock::now()));
  XL_TRY_ASSIGN(NewFile file, NewFile::create(path));
  XL_TRY(checked(domain->session,
                 write_core_of(domain, file.fd(), {.live = true}, {}, stop_dumps_.get_token())));
  XL_TRY(file.complete());
  return path;
}

// The domain has shut down, so it need not be paused. What fails here holds up nothing, as in xl.
void Engine::keep_core(const DomainRef& domain, DomainEnd end, config::ShutdownAction next) {
  dumps_->post([this, domain, end = std::move(end), next]() mutable {
    const auto path = write_core_file(domain);
    EventDetails details;
    if (path) {
      end.report += "core file: " + *path + '\n';
      details.push_back({"file", *path});
    } else {
      end.report += "no core file: " + describe(path.error()) + '\n';
      details.push_back({"error", describe(path.error())});
      spdlog::error("domain {}: no core file: {}", domain->id.value(), describe(path.error()));
    }
    emit(LifecycleEvent::Kind::coredump, domain->id, domain->claim.name(), {}, std::move(details));
    work_->post([this, domain, end = std::move(end), next] {
      const std::lock_guard lock(domain->lifecycle);
      if (!domain->lines_cut) {
        carry_out(domain, end, next);
      }
    });
  });
}

}  // namespace xl::toolstack
