// SPDX-License-Identifier: Apache-2.0
// A core file read back by both of its views.
#include <elf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <optional>

#include "base/unique_fd.hpp"
#include "libxl++/coredump/core_writer.hpp"

// clang-format off: the ABI's headers need the types from above
#include <xen/elfnote.h>
#include <xen/xen.h>
// clang-format on

namespace xl::coredump {
namespace {

class StringOutput final : public Output {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    if (content.size() + bytes.size() > limit) {
      return fail(ErrorCode::io, "full");
    }
    content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Result<void> zeros(std::uint64_t count) override {
    content.append(static_cast<std::size_t>(count), '\0');
    skipped += count;
    return {};
  }
  Result<void> finish() override {
    finished = true;
    return {};
  }
  std::string content;
  std::size_t limit = ~std::size_t{0};
  std::uint64_t skipped = 0;
  bool finished = false;
};

template <typename T>
T at(const std::string& file, std::uint64_t offset) {
  T value{};
  EXPECT_LE(offset + sizeof value, file.size());
  if (offset + sizeof value <= file.size()) {
    std::memcpy(&value, file.data() + offset, sizeof value);
  }
  return value;
}

// Frame N of the test's memory is filled with its number, but that each third is zero.
std::byte fill_of(std::uint64_t frame) {
  return frame % 3 == 0 ? std::byte{0} : static_cast<std::byte>(frame % 251 + 1);
}

Result<void> read_test_memory(hv::Extent frames, std::span<std::byte> into) {
  for (std::uint64_t i = 0; i < frames.count.count(); ++i) {
    std::memset(into.data() + i * page_size, static_cast<int>(fill_of(frames.first.value() + i)),
                page_size);
  }
  return {};
}

class Core : public ::testing::Test {
 protected:
  Core() {
    info_.hypervisor_version = "4.17.7";
    info_.capabilities = "hvm-3.0-x86_64";
    info_.extents = {{Gfn(0), Pages(160)}, {Gfn(256), Pages(2048)}, {Gfn(0xfeffc), Pages(4)}};
    for (std::uint32_t id : {0U, 2U}) {
      CoreVcpu vcpu{VcpuId(id), {}};
      vcpu.context.rip = 0xffffffff81000000 + id;
      vcpu.context.rax = 0x1111 + id;
      vcpu.context.r15 = 0xffff;
      vcpu.context.rsp = 0x8000;
      vcpu.context.rflags = 2;
      vcpu.context.cr3 = 0x1000 + id;
      vcpu.context.cs.selector = 0x10;
      vcpu.context.gs.base = 0xffff888000000000;
      info_.vcpus.push_back(vcpu);
    }
  }
  void write() {
    const auto done = write_core(info_, read_test_memory, out_, [](Pages, Pages) {}, {});
    ASSERT_TRUE(done) << describe(done.error());
    header_ = at<Elf64_Ehdr>(file(), 0);
  }
  const std::string& file() const { return out_.content; }
  std::map<std::string, Elf64_Shdr> sections() const {
    std::map<std::string, Elf64_Shdr> found;
    const auto section = [this](std::uint64_t index) {
      return at<Elf64_Shdr>(file(), header_.e_shoff + index * sizeof(Elf64_Shdr));
    };
    const Elf64_Shdr names = section(header_.e_shstrndx);
    for (std::uint64_t i = 0; i < header_.e_shnum; ++i) {
      found[file().data() + names.sh_offset + section(i).sh_name] = section(i);
    }
    return found;
  }
  std::vector<Elf64_Phdr> segments(std::uint32_t type) const {
    std::vector<Elf64_Phdr> found;
    for (std::uint64_t i = 0; i < header_.e_phnum; ++i) {
      const auto one = at<Elf64_Phdr>(file(), header_.e_phoff + i * sizeof(Elf64_Phdr));
      if (one.p_type == type) {
        found.push_back(one);
      }
    }
    return found;
  }
  struct Note {
    std::uint32_t type;
    std::string name;
    std::string content;
  };
  std::vector<Note> notes(std::uint64_t offset, std::uint64_t size) const {
    std::vector<Note> found;
    for (std::uint64_t here = offset; here < offset + size;) {
      const auto head = at<Elf64_Nhdr>(file(), here);
      here += sizeof head;
      Note note{head.n_type, file().substr(here, head.n_namesz - 1), {}};
      here += (head.n_namesz + 3) / 4 * 4;
      note.content = file().substr(here, head.n_descsz);
      here += (head.n_descsz + 3) / 4 * 4;
      found.push_back(note);
    }
    return found;
  }

  CoreInfo info_;
  StringOutput out_;
  Elf64_Ehdr header_{};
};

TEST_F(Core, IsAnElfCoreForX86_64) {
  write();
  EXPECT_EQ(std::memcmp(header_.e_ident, ELFMAG, SELFMAG), 0);
  EXPECT_EQ(header_.e_ident[EI_CLASS], ELFCLASS64);
  EXPECT_EQ(header_.e_type, ET_CORE);
  EXPECT_EQ(header_.e_machine, EM_X86_64);
  EXPECT_TRUE(out_.finished);
}

TEST_F(Core, HasXensSections) {
  write();
  const auto found = sections();
  const auto pfn = found.at(".xen_pfn");
  const auto pages = found.at(".xen_pages");
  ASSERT_EQ(pfn.sh_size, (160 + 2048 + 4) * 8U);
  ASSERT_EQ(pages.sh_size, (160 + 2048 + 4) * page_size);
  EXPECT_EQ(pages.sh_offset % page_size, 0U);
  std::uint64_t before = 0;
  for (std::uint64_t i = 0; i < pfn.sh_size / 8; ++i) {
    const auto frame = at<std::uint64_t>(file(), pfn.sh_offset + i * 8);
    EXPECT_TRUE(i == 0 || frame > before);
    before = frame;
    EXPECT_EQ(at<std::byte>(file(), pages.sh_offset + i * page_size + 77), fill_of(frame));
  }
  EXPECT_EQ(before, 0xfefffU);
  const auto prstatus = found.at(".xen_prstatus");
  ASSERT_EQ(prstatus.sh_size, 2 * sizeof(vcpu_guest_context_t));
  const auto second =
      at<vcpu_guest_context_t>(file(), prstatus.sh_offset + sizeof(vcpu_guest_context_t));
  EXPECT_EQ(second.user_regs.rip, 0xffffffff81000002);
  EXPECT_EQ(second.ctrlreg[3], 0x1002U);
  EXPECT_EQ(second.gs_base_kernel, 0xffff888000000000);
}

TEST_F(Core, HasXensNotes) {
  write();
  const auto section = sections().at(".note.Xen");
  const auto found = notes(section.sh_offset, section.sh_size);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].type, static_cast<std::uint32_t>(XEN_ELFNOTE_DUMPCORE_NONE));
  EXPECT_EQ(found[0].name, "Xen");
  EXPECT_EQ(found[1].type, static_cast<std::uint32_t>(XEN_ELFNOTE_DUMPCORE_HEADER));
  EXPECT_EQ(at<std::uint64_t>(found[1].content, 0), 0xF00FEBEEU);
  EXPECT_EQ(at<std::uint64_t>(found[1].content, 8), 2U);
  EXPECT_EQ(at<std::uint64_t>(found[1].content, 16), 160 + 2048 + 4U);
  EXPECT_EQ(at<std::uint64_t>(found[1].content, 24), 4096U);
  EXPECT_EQ(found[2].type, static_cast<std::uint32_t>(XEN_ELFNOTE_DUMPCORE_XEN_VERSION));
  EXPECT_EQ(at<std::uint64_t>(found[2].content, 0), 4U);
  EXPECT_EQ(at<std::uint64_t>(found[2].content, 8), 17U);
  EXPECT_STREQ(found[2].content.c_str() + 16, ".7");
  EXPECT_EQ(found[3].type, static_cast<std::uint32_t>(XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION));
  EXPECT_EQ(at<std::uint64_t>(found[3].content, 0), 1U);
}

TEST_F(Core, HasAThreadForEachVcpu) {
  write();
  const auto segment = segments(PT_NOTE);
  ASSERT_EQ(segment.size(), 1U);
  const auto found = notes(segment[0].p_offset, segment[0].p_filesz);
  ASSERT_EQ(found.size(), 2U);
  for (std::uint64_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found[i].type, static_cast<std::uint32_t>(NT_PRSTATUS));
    EXPECT_EQ(found[i].name, "CORE");
    const auto status = at<elf_prstatus>(found[i].content, 0);
    user_regs_struct registers{};
    std::memcpy(&registers, &status.pr_reg, sizeof registers);
    EXPECT_EQ(status.pr_pid, static_cast<int>(2 * i + 1));
    EXPECT_EQ(registers.rip, 0xffffffff81000000 + 2 * i);
    EXPECT_EQ(registers.rax, 0x1111 + 2 * i);
    EXPECT_EQ(registers.cs, 0x10U);
  }
}

TEST_F(Core, ShowsTheSamePagesByPhysicalAddress) {
  write();
  const auto loads = segments(PT_LOAD);
  ASSERT_EQ(loads.size(), 3U);
  EXPECT_EQ(loads[0].p_offset, sections().at(".xen_pages").sh_offset);
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const std::uint64_t frame = info_.extents[i].first.value() + 1;
    EXPECT_EQ(loads[i].p_paddr, (frame - 1) * page_size);
    EXPECT_EQ(loads[i].p_vaddr, loads[i].p_paddr);
    EXPECT_EQ(loads[i].p_filesz, loads[i].p_memsz);
    EXPECT_EQ(at<std::byte>(file(), loads[i].p_offset + page_size), fill_of(frame));
  }
}

TEST_F(Core, WritesZeroPagesAsHoles) {
  write();
  std::uint64_t zero_frames = 0;
  for (const hv::Extent& extent : info_.extents) {
    for (std::uint64_t i = 0; i < extent.count.count(); ++i) {
      zero_frames += fill_of(extent.first.value() + i) == std::byte{0} ? 1 : 0;
    }
  }
  EXPECT_EQ(out_.skipped, zero_frames * page_size);
}

TEST_F(Core, CountsItsProgress) {
  Pages last;
  Pages total;
  ASSERT_TRUE(write_core(info_, read_test_memory, out_,
                         [&](Pages done, Pages of) {
                           EXPECT_GT(done, last);
                           last = done;
                           total = of;
                         },
                         {}));
  EXPECT_EQ(last, total);
  EXPECT_EQ(total, Pages(160 + 2048 + 4));
}

TEST_F(Core, MayHaveMoreExtentsThanTheHeaderCanCount) {
  constexpr std::uint64_t count = 70'000;
  info_.extents.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    info_.extents.push_back({Gfn(i * 3), Pages(1)});  // all zero: the file is mostly a hole
  }
  const UniqueFd fd(::memfd_create("core", MFD_CLOEXEC));
  const auto done =
      write_core(info_, read_test_memory, *to_descriptor(fd.get()), [](Pages, Pages) {}, {});
  ASSERT_TRUE(done) << describe(done.error());
  const auto read_at = [&fd](auto& value, std::uint64_t offset) {
    ASSERT_EQ(::pread(fd.get(), &value, sizeof value, static_cast<off_t>(offset)),
              static_cast<ssize_t>(sizeof value));
  };
  Elf64_Ehdr header{};
  Elf64_Shdr first{};
  Elf64_Phdr last{};
  read_at(header, 0);
  read_at(first, header.e_shoff);
  read_at(last, header.e_phoff + count * sizeof(Elf64_Phdr));
  EXPECT_EQ(header.e_phnum, PN_XNUM);
  EXPECT_EQ(first.sh_info, count + 1);
  EXPECT_EQ(last.p_type, static_cast<std::uint32_t>(PT_LOAD));
  EXPECT_EQ(last.p_paddr, (count - 1) * 3 * page_size);
}

TEST_F(Core, EndsWithTheFirstError) {
  out_.limit = 500'000;
  const auto full = write_core(info_, read_test_memory, out_, [](Pages, Pages) {}, {});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().message, "full");
  EXPECT_FALSE(out_.finished);
  StringOutput other;
  const auto broken = write_core(
      info_, [](hv::Extent, std::span<std::byte>) { return fail(ErrorCode::busy, "going"); }, other,
      [](Pages, Pages) {}, {});
  EXPECT_EQ(broken.error().code, ErrorCode::busy);
}

TEST_F(Core, CanBeCancelled) {
  std::stop_source cancel;
  const auto cut = write_core(
      info_, read_test_memory, out_, [&](Pages, Pages) { cancel.request_stop(); },
      cancel.get_token());
  EXPECT_EQ(cut.error().code, ErrorCode::interrupted);
}

TEST_F(Core, NeedsNoVcpuAndNoMemory) {
  info_.vcpus.clear();
  info_.extents.clear();
  write();
  EXPECT_EQ(sections().at(".xen_pages").sh_size, 0U);
}

}  // namespace
}  // namespace xl::coredump
