// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/domain_nodes.hpp"

#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <utility>

#include "libxl++/toolstack/domain.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

using xenstore::Access;
using xenstore::NodeSpec;
using xenstore::Permissions;
using xenstore::PermissionsRef;

constexpr DomId toolstack_domain(0);
constexpr std::string_view xenbus_initialising =
    "1";  // XenbusStateInitialising, public/io/xenbus.h
constexpr std::string_view console_limit =
    "1048576";  // bytes that a console backend may buffer, as libxl says

std::string vm_path(const config::Uuid& uuid) {
  return "/vm/" + to_string(uuid);
}
std::string libxl_path(DomId id) {
  return fmt::format("/libxl/{}", id.value());
}
std::string backend_directory(DomId id) {
  return fmt::format("/local/domain/0/backend/console/{}", id.value());
}
std::string console_backend_path(DomId id) {
  return backend_directory(id) + "/0";
}

PermissionsRef share(Permissions permissions) {
  return std::make_shared<const Permissions>(std::move(permissions));
}

// Collects nodes below one directory at a time.
class Writer {
 public:
  explicit Writer(DomId guest)
      : private_(share({{toolstack_domain, Access::none}})),
        readable_(share({{toolstack_domain, Access::none}, {guest, Access::read}})),
        writable_(share({{guest, Access::none}})),
        frontend_(share({{guest, Access::none}, {toolstack_domain, Access::read}})),
        backend_(share({{toolstack_domain, Access::none}, {guest, Access::read}})) {}

  void enter(std::string directory, const PermissionsRef& permissions) {
    directory_ = std::move(directory);
    nodes_.push_back({directory_, {}, permissions});
  }
  // Permissions: those of the parent, unless said otherwise.
  void add(std::string_view path, std::string value, PermissionsRef permissions = nullptr) {
    nodes_.push_back(
        {fmt::format("{}/{}", directory_, path), std::move(value), std::move(permissions)});
  }

  const PermissionsRef& toolstack_only() const { return private_; }
  const PermissionsRef& guest_reads() const { return readable_; }
  const PermissionsRef& guest_owns() const { return writable_; }
  const PermissionsRef& frontend() const { return frontend_; }
  const PermissionsRef& backend() const { return backend_; }
  std::vector<NodeSpec> take() { return std::move(nodes_); }

 private:
  PermissionsRef private_, readable_, writable_, frontend_, backend_;
  std::string directory_;
  std::vector<NodeSpec> nodes_;
};

void add_home(Writer& out, const DomainNodesInput& in) {
  out.enter(xenstore::domain_path(in.id), out.guest_reads());
  out.add("vm", vm_path(in.uuid));
  out.add("name", in.config.name);
  out.add("domid", std::to_string(in.id.value()));
  for (const char* directory : {"cpu", "memory", "device", "control"}) {
    out.add(directory, {}, out.guest_reads());
  }
  for (const char* node :
       {"device/suspend/event-channel", "control/shutdown", "control/feature-poweroff",
        "control/feature-reboot", "control/feature-suspend", "control/sysrq", "data", "drivers",
        "feature", "attr", "error"}) {
    out.add(node, {}, out.guest_owns());
  }
  out.add("control/platform-feature-multiprocessor-suspend", "1");
  out.add("control/platform-feature-xs_reset_watches", "1");
  // A balloon driver takes the difference as what it has to give back at boot: the builder's memory
  // map covers static-max.
  out.add("memory/static-max", std::to_string(in.config.max_memory.count() >> 10));
  out.add("memory/target", std::to_string(in.config.memory.count() >> 10));
  out.add("memory/videoram", "0");
  out.add("store/port", std::to_string(in.store.port.value()));
  out.add("store/ring-ref", std::to_string(in.store.frame.value()));
  for (std::uint32_t cpu = 0; cpu < in.config.max_vcpus; ++cpu) {
    out.add(fmt::format("cpu/{}/availability", cpu), cpu < in.config.vcpus ? "online" : "offline");
  }
}

// The primary console: no frontend state machine, and nothing but backend-id for the guest to
// write.
void add_console(Writer& out, const DomainNodesInput& in) {
  const std::string frontend = xenstore::domain_path(in.id) + "/console";
  const std::string backend = console_backend_path(in.id);
  out.enter(frontend, out.guest_reads());
  out.add("backend", backend);
  out.add("backend-id", "0", out.frontend());
  out.add("limit", std::string(console_limit));
  out.add("type", "xenconsoled");
  out.add("output", "pty");
  out.add("tty", "");
  out.add("port", std::to_string(in.console.port.value()));
  out.add("ring-ref", std::to_string(in.console.frame.value()));

  out.enter(backend, out.backend());
  out.add("frontend", frontend);
  out.add("frontend-id", std::to_string(in.id.value()));
  out.add("online", "1");
  out.add("state", std::string(xenbus_initialising));
  out.add("protocol", "vt100");

  out.enter(libxl_path(in.id) + "/device/console/0", out.toolstack_only());
  out.add("frontend", frontend);
  out.add("backend", backend);
  out.add("frontend-id", std::to_string(in.id.value()));
  out.add("online", "1");
  out.add("state", std::string(xenbus_initialising));
  out.add("protocol", "vt100");
}

}  // namespace

std::vector<NodeSpec> domain_nodes(const DomainNodesInput& in) {
  Writer out(in.id);
  out.enter(libxl_path(in.id), out.toolstack_only());
  out.add("device", {}, out.toolstack_only());
  out.add("type", "pvh");
  out.add("dm-version", "qemu_xen");  // libxl says so of all types; no device model is there
  out.enter(vm_path(in.uuid), out.guest_reads());
  out.add("uuid", to_string(in.uuid));
  out.add("name", in.config.name);
  const auto since_epoch = in.created.time_since_epoch();
  const auto hundredths =
      std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count() / 10;
  out.add("start_time", fmt::format("{}.{:02}", hundredths / 100, hundredths % 100));
  add_home(out, in);
  add_console(out, in);
  return out.take();
}

std::vector<NodeSpec> nodes_of(const Domain& domain) {
  const config::DomainConfig& config = domain.plan.config;
  return domain_nodes(
      {domain.id, *config.uuid, config, domain.store_line, domain.console_line, domain.created});
}

std::vector<NodeSpec> domain_zero_nodes() {
  return {{"/tool/xenstored", {}, nullptr},
          {"/local/domain/0/domid", "0", nullptr},
          {"/local/domain/0/name", "Domain-0", nullptr}};
}

std::vector<std::string> domain_directories(DomId id, const config::Uuid& uuid) {
  return {xenstore::domain_path(id), vm_path(uuid), libxl_path(id), backend_directory(id)};
}

Result<std::vector<std::string>> directories_to_renew(xenstore::NodeStore& store, DomId id,
                                                      const config::Uuid& uuid) {
  const std::string home = xenstore::domain_path(id);
  std::vector<std::string> directories{vm_path(uuid), libxl_path(id), backend_directory(id)};
  XL_TRY_ASSIGN(const std::vector<std::string> children, store.list(home));
  for (const std::string& child : children) {
    if (child != "console" && child != "name") {
      directories.push_back(fmt::format("{}/{}", home, child));
    }
  }
  return directories;
}

// The tty is xenconsoled's, which names it once.
std::vector<NodeSpec> renewed_nodes_of(const Domain& domain) {
  std::vector<NodeSpec> nodes = nodes_of(domain);
  const std::string tty = xenstore::domain_path(domain.id) + "/console/tty";
  std::erase_if(nodes, [&](const NodeSpec& node) { return node.path == tty; });
  return nodes;
}

void forget_in_store(xenstore::NodeStore& store, DomId id) {
  std::vector<std::string> directories{xenstore::domain_path(id), libxl_path(id),
                                       backend_directory(id)};
  // Only domain 0 may write this node, so the guest cannot name another's directory there.
  const auto vm = store.read(xenstore::domain_path(id) + "/vm");
  if (vm && vm->starts_with("/vm/")) {
    directories.push_back(*vm);
  }
  store.remove_domain(id, directories);
}

std::vector<NodeSpec> name_nodes(DomId id, const config::Uuid& uuid, const std::string& name) {
  return {{xenstore::domain_path(id) + "/name", name, nullptr},
          {vm_path(uuid) + "/name", name, nullptr}};
}

std::vector<NodeSpec> preserved_nodes(DomId id, const config::Uuid& uuid, const std::string& name) {
  const PermissionsRef readable = share({{toolstack_domain, Access::none}, {id, Access::read}});
  return {{vm_path(uuid), {}, readable},
          {vm_path(uuid) + "/uuid", to_string(uuid), nullptr},
          {vm_path(uuid) + "/name", name, nullptr},
          {xenstore::domain_path(id) + "/vm", vm_path(uuid), nullptr},
          {xenstore::domain_path(id) + "/name", name, nullptr}};
}

}  // namespace xl::toolstack
