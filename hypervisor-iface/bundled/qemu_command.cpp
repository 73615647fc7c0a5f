// SPDX-License-Identifier: Apache-2.0
#include "hypervisor-iface/bundled/qemu_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>

namespace xl::hv::bundled {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

}  // namespace

std::vector<std::string> qemu_command(const Machine& machine) {
  const std::uint64_t size = machine.memory.count();
  return {
      machine.qemu,
      "-name",
      "xl++",
      "-nodefaults",
      "-no-user-config",
      "-no-reboot",
      "-display",
      "none",
      "-sandbox",
      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      // One host thread per CPU; the emulated CPU has SVM, nested paging and vGIF without any of it
      // in the host.
      "-accel",
      "tcg,thread=multi",
      "-cpu",
      "max",
      "-smp",
      fmt::format("{}", machine.cpus + 1),  // the first only boots: docs/adr/0110
      "-m",
      fmt::format("{}B", size),
      "-object",
      fmt::format("memory-backend-file,id=ram,size={}B,mem-path=/proc/self/fd/{},share=on", size,
                  ram_fd_number),
      // No device but the CPUs' own, the IO-APIC and COM1.
      "-M",
      "microvm,memory-backend=ram,x-option-roms=off,rtc=off,pit=off,pic=off,acpi=off,isa-serial=on,"
      "auto-kernel-cmdline=off",
      "-chardev",
      fmt::format("socket,id=doorbell,fd={},server=on,wait=off", doorbell_fd_number),
      "-serial",
      "chardev:doorbell",
      "-kernel",
      machine.hypervisor_image,
  };
}

Result<std::string> find_qemu(const std::string& given) {
  const char* install = "install it with: apt install qemu-system-x86";
  const char* variable = std::getenv("XL_QEMU");
  if (const std::string named = !given.empty()        ? given
                                : variable != nullptr ? variable
                                                      : "";
      !named.empty()) {
    if (::access(named.c_str(), X_OK) == 0) {
      return named;
    }
    return fail(ErrorId::qemu_missing, fmt::format("QEMU '{}' is not an executable file", named),
                "name one that can be executed, or none: then PATH is searched");
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const fs::path candidate = fs::path(rest.substr(0, colon)) / "qemu-system-x86_64";
    if (is_file(candidate) && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate.string();
    }
    rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  }
  return fail(ErrorId::qemu_missing, "qemu-system-x86_64 is not in PATH", install);
}

Result<std::string> find_hypervisor_image(const std::string& given) {
  if (!given.empty()) {
    if (is_file(given)) {
      return given;
    }
    return fail(ErrorId::hypervisor_image_missing,
                fmt::format("there is no hypervisor image '{}'", given),
                "correct or unset XL_HYPERVISOR (xld's --hypervisor-image)");
  }
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path candidates[] = {
      here / "hypervisor.elf",                                         // installed: libexec
      here.parent_path() / "hypervisor/hypervisor.elf",                // build tree: xld/
      here.parent_path().parent_path() / "hypervisor/hypervisor.elf",  // build tree: tests/PART/
      fs::path(XL_LIBEXEC_DIR) / "hypervisor.elf",
  };
  for (const fs::path& candidate : candidates) {
    if (is_file(candidate)) {
      return candidate.string();
    }
  }
  return fail(ErrorId::hypervisor_image_missing,
              fmt::format("the hypervisor's image is neither beside {} nor at {}", here.string(),
                          candidates[3].string()),
              "build or install all of xl++");
}

std::string qemu_version(const std::string& qemu) {
  std::string quoted = "'";
  for (const char c : qemu) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  const std::string command = quoted + "' --version 2>/dev/null";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "re"), ::pclose);
  char line[256] = {};
  if (!pipe || std::fgets(line, sizeof(line), pipe.get()) == nullptr) {
    return {};
  }
  const std::string_view text(line);
  const std::string_view before = "version ";
  const std::size_t start = text.find(before);
  if (start == std::string_view::npos) {
    return {};
  }
  const std::string_view number = text.substr(start + before.size());
  return std::string(number.substr(0, number.find_first_not_of("0123456789.")));
}

}  // namespace xl::hv::bundled
