// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/xen_loader.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "hypervisor-iface/hypervisor_module.hpp"

namespace xl::hv {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "xl-hypervisor-xen.so";
constexpr const char* install_it =
    "install Xen's libraries (on Debian: `apt install libxenmisc4.17 libxenstore4`) and all of "
    "xl++, or use its own hypervisor: --hypervisor=bundled";

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

bool runs_on_xen_dom0() {
  if (first_line("/proc/xen/capabilities").find("control_d") != std::string::npos) {
    return true;
  }
  // xenfs need not be mounted; a guest has neither feature bit nor privcmd's use.
  constexpr unsigned long dom0_feature = 1UL << 11;  // XENFEAT_dom0
  return first_line("/sys/hypervisor/type") == "xen" &&
         (std::strtoul(first_line("/sys/hypervisor/properties/features").c_str(), nullptr, 16) &
          dom0_feature) != 0 &&
         ::access("/dev/xen/privcmd", F_OK) == 0;
}

Result<std::string> find_xen_module() {
  if (const char* given = std::getenv("XL_XEN_MODULE"); given != nullptr && *given != '\0') {
    return std::string(given);
  }
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path installed = fs::path(XL_MODULE_DIR) / file_name;
  const fs::path candidates[] = {
      here.parent_path() / "hypervisor-iface/xen" / file_name,                // build: xld/
      here.parent_path().parent_path() / "hypervisor-iface/xen" / file_name,  // build: tests/PART/
      installed};
  for (const fs::path& candidate : candidates) {
    if (fs::is_regular_file(candidate, error)) {
      return candidate.string();
    }
  }
  return fail(ErrorId::xen_module_missing, "there is no " + installed.string(), install_it);
}

Result<std::unique_ptr<Hypervisor>> open_xen(const std::string& module) {
  void* library = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return fail(ErrorId::xen_module_missing, why == nullptr ? "cannot load " + module : why,
                install_it);
  }
  // SAFETY: the symbol's type does not change; what it points to is checked before it is used.
  auto* symbol = reinterpret_cast<HypervisorModuleSymbol*>(::dlsym(library, module_symbol));
  const HypervisorModule* found = symbol == nullptr ? nullptr : symbol();
  if (found == nullptr || std::strcmp(found->waist, waist_id) != 0) {
    const std::string is = found == nullptr ? "no module of xl++" : std::string(found->waist);
    ::dlclose(library);
    return fail(ErrorId::xen_module_missing,
                module + " is " + is + ", and this program is " + waist_id,
                "install all of xl++ from one build");
  }
  return found->open();
}

Result<std::unique_ptr<Hypervisor>> open_xen() {
  if (!runs_on_xen_dom0()) {
    return fail(ErrorId::xen_missing, "this machine does not run on Xen, or is not its domain 0",
                "boot it with Xen, or use xl++'s own hypervisor: --hypervisor=bundled");
  }
  XL_TRY_ASSIGN(const std::string module, find_xen_module());
  return open_xen(module);
}

std::vector<Check> probe_xen() {
  const auto opened = open_xen();
  if (!opened) {
    return {check_failed("xen", opened.error().message, opened.error().hint)};
  }
  const auto info = (*opened)->host_info();
  if (!info) {
    return {check_failed("xen", info.error().message, info.error().hint)};
  }
  return {check_ok("xen", info->machine)};
}

}  // namespace xl::hv
