import type { Wheel } from "./_wheel.ts";

/**
 * The libraries that TensorFlow's RUNPATH looks for in `../nvidia/<part>/lib`, and the assembler
 * that XLA looks for in `../nvidia/cuda_nvcc`. Left out: link-time archives and libraries that
 * nothing in TensorFlow asks for (nvblas, cufftw, cusolverMg, the alternative nvrtc).
 */
const MEMBERS = new RegExp(
  "^nvidia/\\w+/lib/lib(?!nvblas|cufftw|cusolverMg)\\w+(-builtins)?\\.so(\\.\\d+)*$" +
    "|^nvidia/cuda_nvcc/(bin/ptxas|nvvm/libdevice/[\\w.]+\\.bc)$",
);

/** What `tensorflow[and-cuda]` 2.21.0 asks for on Linux x86-64: CUDA 12.9, cuDNN 9, NCCL 2. */
export const NVIDIA_WHEELS: readonly Wheel[] = [
  {
    project: "nvidia-cublas-cu12",
    version: "12.9.3.13",
    file: "nvidia_cublas_cu12-12.9.3.13-py3-none-manylinux_2_27_x86_64.whl",
    platform: "manylinux_2_27_x86_64",
    sha256: "d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72",
    bytes: 581_217_458,
    unpackedBytes: 854_310_592,
    members: MEMBERS,
  },
  {
    project: "nvidia-cuda-cupti-cu12",
    version: "12.9.79",
    file: "nvidia_cuda_cupti_cu12-12.9.79-py3-none-manylinux_2_25_x86_64.whl",
    platform: "manylinux_2_25_x86_64",
    sha256: "096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f",
    bytes: 10_814_997,
    unpackedBytes: 43_365_768,
    members: MEMBERS,
  },
  {
    project: "nvidia-cuda-nvcc-cu12",
    version: "12.9.86",
    file: "nvidia_cuda_nvcc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    platform: "manylinux2010_x86_64",
    sha256: "5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0",
    bytes: 40_546_229,
    unpackedBytes: 35_417_224,
    members: MEMBERS,
  },
  {
    project: "nvidia-cuda-nvrtc-cu12",
    version: "12.9.86",
    file: "nvidia_cuda_nvrtc_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    platform: "manylinux2010_x86_64",
    sha256: "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4",
    bytes: 89_568_129,
    unpackedBytes: 113_447_240,
    members: MEMBERS,
  },
  {
    project: "nvidia-cuda-runtime-cu12",
    version: "12.9.79",
    file:
      "nvidia_cuda_runtime_cu12-12.9.79-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    platform: "manylinux2014_x86_64",
    sha256: "25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3",
    bytes: 3_493_179,
    unpackedBytes: 741_088,
    members: MEMBERS,
  },
  {
    project: "nvidia-cudnn-cu12",
    version: "9.28.0.42",
    file: "nvidia_cudnn_cu12-9.28.0.42-py3-none-manylinux_2_27_x86_64.whl",
    platform: "manylinux_2_27_x86_64",
    sha256: "9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375",
    bytes: 716_538_495,
    unpackedBytes: 1_162_393_472,
    members: MEMBERS,
  },
  {
    project: "nvidia-cufft-cu12",
    version: "11.4.1.4",
    file: "nvidia_cufft_cu12-11.4.1.4-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    platform: "manylinux2014_x86_64",
    sha256: "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28",
    bytes: 200_877_592,
    unpackedBytes: 291_507_928,
    members: MEMBERS,
  },
  {
    project: "nvidia-curand-cu12",
    version: "10.3.10.19",
    file: "nvidia_curand_cu12-10.3.10.19-py3-none-manylinux_2_27_x86_64.whl",
    platform: "manylinux_2_27_x86_64",
    sha256: "49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e",
    bytes: 68_295_626,
    unpackedBytes: 166_965_432,
    members: MEMBERS,
  },
  {
    project: "nvidia-cusolver-cu12",
    version: "11.7.5.82",
    file: "nvidia_cusolver_cu12-11.7.5.82-py3-none-manylinux_2_27_x86_64.whl",
    platform: "manylinux_2_27_x86_64",
    sha256: "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88",
    bytes: 338_117_415,
    unpackedBytes: 302_024_152,
    members: MEMBERS,
  },
  {
    project: "nvidia-cusparse-cu12",
    version: "12.5.10.65",
    file: "nvidia_cusparse_cu12-12.5.10.65-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    platform: "manylinux2014_x86_64",
    sha256: "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78",
    bytes: 366_465_088,
    unpackedBytes: 486_556_368,
    members: MEMBERS,
  },
  {
    project: "nvidia-nccl-cu12",
    version: "2.32.3",
    file: "nvidia_nccl_cu12-2.32.3-py3-none-manylinux_2_27_x86_64.whl",
    platform: "manylinux_2_27_x86_64",
    sha256: "bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c",
    bytes: 351_526_311,
    unpackedBytes: 473_614_536,
    members: MEMBERS,
  },
  {
    project: "nvidia-nvjitlink-cu12",
    version: "12.9.86",
    file: "nvidia_nvjitlink_cu12-12.9.86-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    platform: "manylinux2010_x86_64",
    sha256: "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9",
    bytes: 39_748_338,
    unpackedBytes: 95_935_344,
    members: MEMBERS,
  },
];
