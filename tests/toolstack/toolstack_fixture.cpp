// SPDX-License-Identifier: Apache-2.0
#include "tests/toolstack/toolstack_fixture.hpp"

#include <elf.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace xl::toolstack::fixture {
namespace {

constexpr std::uint32_t load_address = 0x100000;
constexpr std::uint32_t pvh_note = 18;      // XEN_ELFNOTE_PHYS32_ENTRY
constexpr std::uint32_t guest_os_note = 6;  // XEN_ELFNOTE_GUEST_OS

template <typename T>
void append(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
T peek(hv::fake::FakeHypervisor& fake, DomId id, GuestPhys at) {
  T value{};
  EXPECT_TRUE(fake.guest_read(id, at, std::as_writable_bytes(std::span(&value, 1))));
  return value;
}

template <typename T>
void poke(hv::fake::FakeHypervisor& fake, DomId id, GuestPhys at, const T& value) {
  EXPECT_TRUE(fake.guest_write(id, at, std::as_bytes(std::span(&value, 1))));
}

}  // namespace

std::string tiny_kernel(std::string guest_os) {
  std::string note;
  append(note, std::uint32_t{4});
  append(note, std::uint32_t{4});
  append(note, pvh_note);
  note.append("Xen\0", 4);
  append(note, load_address);
  guest_os.resize((guest_os.size() + 4) & ~std::size_t{3});  // with its NUL
  append(note, std::uint32_t{4});
  append(note, static_cast<std::uint32_t>(guest_os.size()));
  append(note, guest_os_note);
  note.append("Xen\0", 4);
  note += guest_os;
  const std::string code(4096, '\xf4');  // hlt

  const std::uint32_t headers = sizeof(Elf32_Ehdr) + 2 * sizeof(Elf32_Phdr);
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_386;
  header.e_version = EV_CURRENT;
  header.e_entry = load_address;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf32_Phdr);
  header.e_phnum = 2;
  const auto code_size = static_cast<std::uint32_t>(code.size());
  const auto note_size = static_cast<std::uint32_t>(note.size());
  const Elf32_Phdr load{PT_LOAD,   headers,   load_address,       load_address,
                        code_size, code_size, PF_R | PF_W | PF_X, 4096};
  const Elf32_Phdr notes{PT_NOTE, headers + code_size, 0, 0, note_size, note_size, PF_R, 4};
  std::string file;
  append(file, header);
  append(file, load);
  append(file, notes);
  return file + code + note;
}

ToolstackTest::ToolstackTest() {
  spdlog::set_level(spdlog::level::off);
  std::string pattern = (std::filesystem::temp_directory_path() / "xl-toolstack-XXXXXX").string();
  directory_ = ::mkdtemp(pattern.data());
  kernel_ = write_file("kernel", tiny_kernel());
  options_.hypervisor = [this]() -> Result<std::unique_ptr<hv::Hypervisor>> {
    XL_TRY(start_result_);
    on_start_();
    auto fake = std::make_unique<hv::fake::FakeHypervisor>();
    fakes_.push_back(fake->attach_again());
    return wrap_(std::move(fake));
  };
  options_.attach = [this]() -> Result<std::unique_ptr<hv::Hypervisor>> {
    return is_left_ ? wrap_(this->fake().attach_again()) : nullptr;
  };
  options_.runtime_dir = directory_ + "/run";
  options_.log_dir = directory_ + "/log";
  options_.restart_interval = std::chrono::nanoseconds::zero();
  options_.loan_grace = std::chrono::nanoseconds::zero();
  restart_toolstack();
}

ToolstackTest::~ToolstackTest() {
  subscription_.reset();
  toolstack_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void ToolstackTest::restart_toolstack() {
  subscription_.reset();
  toolstack_.reset();
  is_left_ = false;
  start_toolstack();
}

void ToolstackTest::kill_toolstack() {
  is_left_ = !fakes_.empty();
  subscription_.reset();
  toolstack_.reset();
}

void ToolstackTest::start_toolstack() {
  auto made = Toolstack::create(options_);
  ASSERT_TRUE(made) << describe(made.error());
  toolstack_ = std::move(made).value();
  subscription_ =
      toolstack_->subscribe([this](const LifecycleEvent& event) { events_.put(event); });
}

config::DomainConfig ToolstackTest::config(const std::string& name) const {
  config::DomainConfig config;
  config.name = name;
  config.kernel = kernel_;
  config.memory = config.max_memory = mib(8);
  return config;
}

DomId ToolstackTest::create(const config::DomainConfig& config, CreateOptions options) {
  const auto created = toolstack().create_domain(config, options, {});
  EXPECT_TRUE(created) << describe(created.error());
  return created ? created->id : DomId();
}

std::optional<LifecycleEvent> ToolstackTest::wait_for(LifecycleEvent::Kind kind, DomId id) {
  return events_.wait_for(
      [&](const LifecycleEvent& event) { return event.kind == kind && event.id == id; });
}

std::vector<std::string> ToolstackTest::names() {
  std::vector<std::string> names;
  const auto rows = toolstack().list();
  EXPECT_TRUE(rows);
  for (std::size_t i = 1; rows && i < rows->size(); ++i) {
    names.push_back((*rows)[i].name);
  }
  return names;
}

std::vector<std::string> ToolstackTest::log_files() const {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(options_.log_dir)) {
    files.push_back(entry.path().filename().string());
  }
  return files;
}

std::string ToolstackTest::write_file(const std::string& name, const std::string& content) const {
  std::ofstream(directory_ + '/' + name, std::ios::binary) << content;
  return directory_ + '/' + name;
}

EventPort ToolstackTest::guest_port(DomId id, std::uint32_t hvm_param) {
  const auto port = fake().get_hvm_param(id, hvm_param);
  EXPECT_TRUE(port);
  return EventPort(static_cast<std::uint32_t>(port.value_or(0)));
}

void ToolstackTest::guest_prints(DomId id, const std::string& text) {
  const auto page = to_phys(Gfn(*fake().get_hvm_param(id, HVM_PARAM_CONSOLE_PFN)));
  const GuestPhys ring = page + Bytes(offsetof(xencons_interface, out));
  const GuestPhys index = page + Bytes(offsetof(xencons_interface, out_prod));
  auto produced = peek<std::uint32_t>(fake(), id, index);
  for (const char c : text) {
    poke(fake(), id, ring + Bytes(produced++ % sizeof(xencons_interface::out)), c);
  }
  poke(fake(), id, index, produced);
  EXPECT_TRUE(fake().guest_notify(id, guest_port(id, HVM_PARAM_CONSOLE_EVTCHN)));
}

}  // namespace xl::toolstack::fixture
