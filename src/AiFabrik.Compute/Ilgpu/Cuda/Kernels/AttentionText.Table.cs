namespace AiFabrik.Compute.Ilgpu.Cuda.Kernels;

// Unrolled PTX: registers cannot be indexed by a loop's variable, so what a loop would say stands here in full.

/// <summary>
/// Texts of <see cref="AttentionTensor"/>, by the dimensions of a head that fit and by the keys of a stage. Registers: o sums [16 rows, dims], q queries, s scores and h their
/// exponentials [16 rows, keys], m and l maxima and sums of rows lane / 4 and lane / 4 + 8, in the fragment layouts of mma.m16n8k16.
/// </summary>
internal static class AttentionText
{
    /// <summary>Stages of 64 keys and values of up to 64 dimensions, sums set to 0.</summary>
    public const string Declare64 = """
        .shared .align 1024 .b8 tile[49152]; .reg .f32 o<32>; .reg .b32 q<16>; .reg .f32 s<32>; .reg .b32 h<16>; .reg .b32 f<8>; .reg .f32 x<8>; .reg .f32 m<2>; .reg .f32 l<2>;
        .reg .f32 z<2>; .reg .f32 c<2>; .reg .b32 ka; .reg .b32 va; .reg .b32 at; .reg .b64 qa; .reg .b64 qb; .reg .f32 ninf; .reg .pred r<2>; .reg .pred g<4>;
        mov.f32 ninf, 0fFF800000; mov.f32 m0, ninf; mov.f32 m1, ninf; mov.f32 l0, 0f00000000; mov.f32 l1, 0f00000000; mov.f32 o0, 0f00000000; mov.f32 o1, 0f00000000;
        mov.f32 o2, 0f00000000; mov.f32 o3, 0f00000000; mov.f32 o4, 0f00000000; mov.f32 o5, 0f00000000; mov.f32 o6, 0f00000000; mov.f32 o7, 0f00000000; mov.f32 o8, 0f00000000;
        mov.f32 o9, 0f00000000; mov.f32 o10, 0f00000000; mov.f32 o11, 0f00000000; mov.f32 o12, 0f00000000; mov.f32 o13, 0f00000000; mov.f32 o14, 0f00000000; mov.f32 o15, 0f00000000;
        mov.f32 o16, 0f00000000; mov.f32 o17, 0f00000000; mov.f32 o18, 0f00000000; mov.f32 o19, 0f00000000; mov.f32 o20, 0f00000000; mov.f32 o21, 0f00000000; mov.f32 o22, 0f00000000;
        mov.f32 o23, 0f00000000; mov.f32 o24, 0f00000000; mov.f32 o25, 0f00000000; mov.f32 o26, 0f00000000; mov.f32 o27, 0f00000000; mov.f32 o28, 0f00000000; mov.f32 o29, 0f00000000;
        mov.f32 o30, 0f00000000; mov.f32 o31, 0f00000000;
        """;

    /// <summary>Fragments of the scaled queries: rows at qa and qb (if r0, r1), %0 = head_dim, %1 = scale.</summary>
    public const string Query64 = """
        setp.gt.and.s32 g0, %0, 0, r0; setp.gt.and.s32 g1, %0, 0, r1; setp.gt.and.s32 g2, %0, 8, r0; setp.gt.and.s32 g3, %0, 8, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000;
        mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000;
        @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+0]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+0]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+32]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+32];
        mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q0, x1, x0;
        cvt.rn.f16x2.f32 q1, x3, x2; cvt.rn.f16x2.f32 q2, x5, x4; cvt.rn.f16x2.f32 q3, x7, x6; setp.gt.and.s32 g0, %0, 16, r0; setp.gt.and.s32 g1, %0, 16, r1;
        setp.gt.and.s32 g2, %0, 24, r0; setp.gt.and.s32 g3, %0, 24, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+64];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+64]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+96]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+96]; mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000;
        min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1; max.f32 x2, x2, 0fC77FE000;
        min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1; max.f32 x4, x4, 0fC77FE000;
        min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1; max.f32 x6, x6, 0fC77FE000;
        min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q4, x1, x0; cvt.rn.f16x2.f32 q5, x3, x2;
        cvt.rn.f16x2.f32 q6, x5, x4; cvt.rn.f16x2.f32 q7, x7, x6; setp.gt.and.s32 g0, %0, 32, r0; setp.gt.and.s32 g1, %0, 32, r1; setp.gt.and.s32 g2, %0, 40, r0;
        setp.gt.and.s32 g3, %0, 40, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000;
        mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+128]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+128];
        @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+160]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+160]; mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000;
        mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1; max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1;
        max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1; max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1;
        max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1; max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1;
        max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q8, x1, x0; cvt.rn.f16x2.f32 q9, x3, x2; cvt.rn.f16x2.f32 q10, x5, x4; cvt.rn.f16x2.f32 q11, x7, x6;
        setp.gt.and.s32 g0, %0, 48, r0; setp.gt.and.s32 g1, %0, 48, r1; setp.gt.and.s32 g2, %0, 56, r0; setp.gt.and.s32 g3, %0, 56, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000;
        mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000;
        @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+192]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+192]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+224]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+224];
        mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q12, x1, x0;
        cvt.rn.f16x2.f32 q13, x3, x2; cvt.rn.f16x2.f32 q14, x5, x4; cvt.rn.f16x2.f32 q15, x7, x6;
        """;

    /// <summary>s = q·k of 64 keys at ka.</summary>
    public const string Scores64 = """
        mov.f32 s0, 0f00000000; mov.f32 s1, 0f00000000; mov.f32 s2, 0f00000000; mov.f32 s3, 0f00000000; mov.f32 s4, 0f00000000; mov.f32 s5, 0f00000000; mov.f32 s6, 0f00000000;
        mov.f32 s7, 0f00000000; mov.f32 s8, 0f00000000; mov.f32 s9, 0f00000000; mov.f32 s10, 0f00000000; mov.f32 s11, 0f00000000; mov.f32 s12, 0f00000000; mov.f32 s13, 0f00000000;
        mov.f32 s14, 0f00000000; mov.f32 s15, 0f00000000; mov.f32 s16, 0f00000000; mov.f32 s17, 0f00000000; mov.f32 s18, 0f00000000; mov.f32 s19, 0f00000000; mov.f32 s20, 0f00000000;
        mov.f32 s21, 0f00000000; mov.f32 s22, 0f00000000; mov.f32 s23, 0f00000000; mov.f32 s24, 0f00000000; mov.f32 s25, 0f00000000; mov.f32 s26, 0f00000000; mov.f32 s27, 0f00000000;
        mov.f32 s28, 0f00000000; mov.f32 s29, 0f00000000; mov.f32 s30, 0f00000000; mov.f32 s31, 0f00000000; mov.b32 at, ka;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q0, q1, q2, q3}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q0, q1, q2, q3}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q0, q1, q2, q3}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q0, q1, q2, q3}, {f6, f7}, {s12, s13, s14, s15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s16, s17, s18, s19}, {q0, q1, q2, q3}, {f0, f1}, {s16, s17, s18, s19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s20, s21, s22, s23}, {q0, q1, q2, q3}, {f2, f3}, {s20, s21, s22, s23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s24, s25, s26, s27}, {q0, q1, q2, q3}, {f4, f5}, {s24, s25, s26, s27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s28, s29, s30, s31}, {q0, q1, q2, q3}, {f6, f7}, {s28, s29, s30, s31}; xor.b32 at, ka, 32;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q4, q5, q6, q7}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q4, q5, q6, q7}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q4, q5, q6, q7}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q4, q5, q6, q7}, {f6, f7}, {s12, s13, s14, s15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s16, s17, s18, s19}, {q4, q5, q6, q7}, {f0, f1}, {s16, s17, s18, s19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s20, s21, s22, s23}, {q4, q5, q6, q7}, {f2, f3}, {s20, s21, s22, s23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s24, s25, s26, s27}, {q4, q5, q6, q7}, {f4, f5}, {s24, s25, s26, s27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s28, s29, s30, s31}, {q4, q5, q6, q7}, {f6, f7}, {s28, s29, s30, s31}; xor.b32 at, ka, 64;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q8, q9, q10, q11}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q8, q9, q10, q11}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q8, q9, q10, q11}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q8, q9, q10, q11}, {f6, f7}, {s12, s13, s14, s15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s16, s17, s18, s19}, {q8, q9, q10, q11}, {f0, f1}, {s16, s17, s18, s19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s20, s21, s22, s23}, {q8, q9, q10, q11}, {f2, f3}, {s20, s21, s22, s23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s24, s25, s26, s27}, {q8, q9, q10, q11}, {f4, f5}, {s24, s25, s26, s27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s28, s29, s30, s31}, {q8, q9, q10, q11}, {f6, f7}, {s28, s29, s30, s31}; xor.b32 at, ka, 96;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q12, q13, q14, q15}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q12, q13, q14, q15}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q12, q13, q14, q15}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q12, q13, q14, q15}, {f6, f7}, {s12, s13, s14, s15};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s16, s17, s18, s19}, {q12, q13, q14, q15}, {f0, f1}, {s16, s17, s18, s19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s20, s21, s22, s23}, {q12, q13, q14, q15}, {f2, f3}, {s20, s21, s22, s23};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s24, s25, s26, s27}, {q12, q13, q14, q15}, {f4, f5}, {s24, s25, s26, s27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s28, s29, s30, s31}, {q12, q13, q14, q15}, {f6, f7}, {s28, s29, s30, s31};
        """;

    /// <summary>s to exp2(s − maximum) in h; sums are rescaled only where a row's maximum has grown.</summary>
    public const string Softmax64 = """
        max.f32 z0, s0, s1; max.f32 z1, s2, s3; max.f32 z0, z0, s4; max.f32 z0, z0, s5; max.f32 z1, z1, s6; max.f32 z1, z1, s7; max.f32 z0, z0, s8; max.f32 z0, z0, s9;
        max.f32 z1, z1, s10; max.f32 z1, z1, s11; max.f32 z0, z0, s12; max.f32 z0, z0, s13; max.f32 z1, z1, s14; max.f32 z1, z1, s15; max.f32 z0, z0, s16; max.f32 z0, z0, s17;
        max.f32 z1, z1, s18; max.f32 z1, z1, s19; max.f32 z0, z0, s20; max.f32 z0, z0, s21; max.f32 z1, z1, s22; max.f32 z1, z1, s23; max.f32 z0, z0, s24; max.f32 z0, z0, s25;
        max.f32 z1, z1, s26; max.f32 z1, z1, s27; max.f32 z0, z0, s28; max.f32 z0, z0, s29; max.f32 z1, z1, s30; max.f32 z1, z1, s31; shfl.sync.bfly.b32 x0, z0, 1, 31, 0xffffffff;
        shfl.sync.bfly.b32 x1, z1, 1, 31, 0xffffffff; max.f32 z0, z0, x0; max.f32 z1, z1, x1; shfl.sync.bfly.b32 x0, z0, 2, 31, 0xffffffff;
        shfl.sync.bfly.b32 x1, z1, 2, 31, 0xffffffff; max.f32 z0, z0, x0; max.f32 z1, z1, x1; max.f32 z0, z0, m0; max.f32 z1, z1, m1; setp.neu.f32 g0, z0, m0;
        setp.neu.or.f32 g0, z1, m1, g0; vote.sync.any.pred g1, g0, 0xffffffff; @!g1 bra kept; setp.eq.f32 g2, z0, ninf; setp.eq.f32 g3, z1, ninf; selp.f32 x0, 0f00000000, z0, g2;
        selp.f32 x1, 0f00000000, z1, g3; sub.f32 c0, m0, x0; sub.f32 c1, m1, x1; ex2.approx.ftz.f32 c0, c0; ex2.approx.ftz.f32 c1, c1; mov.f32 m0, z0; mov.f32 m1, z1;
        mul.f32 l0, l0, c0; mul.f32 l1, l1, c1; mul.f32 o0, o0, c0; mul.f32 o1, o1, c0; mul.f32 o2, o2, c1; mul.f32 o3, o3, c1; mul.f32 o4, o4, c0; mul.f32 o5, o5, c0;
        mul.f32 o6, o6, c1; mul.f32 o7, o7, c1; mul.f32 o8, o8, c0; mul.f32 o9, o9, c0; mul.f32 o10, o10, c1; mul.f32 o11, o11, c1; mul.f32 o12, o12, c0; mul.f32 o13, o13, c0;
        mul.f32 o14, o14, c1; mul.f32 o15, o15, c1; mul.f32 o16, o16, c0; mul.f32 o17, o17, c0; mul.f32 o18, o18, c1; mul.f32 o19, o19, c1; mul.f32 o20, o20, c0; mul.f32 o21, o21, c0;
        mul.f32 o22, o22, c1; mul.f32 o23, o23, c1; mul.f32 o24, o24, c0; mul.f32 o25, o25, c0; mul.f32 o26, o26, c1; mul.f32 o27, o27, c1; mul.f32 o28, o28, c0; mul.f32 o29, o29, c0;
        mul.f32 o30, o30, c1; mul.f32 o31, o31, c1;
        kept:
        setp.eq.f32 g2, m0, ninf; setp.eq.f32 g3, m1, ninf; selp.f32 z0, 0f00000000, m0, g2; selp.f32 z1, 0f00000000, m1, g3; sub.f32 s0, s0, z0; sub.f32 s1, s1, z0;
        sub.f32 s2, s2, z1; sub.f32 s3, s3, z1; ex2.approx.ftz.f32 s0, s0; ex2.approx.ftz.f32 s1, s1; ex2.approx.ftz.f32 s2, s2; ex2.approx.ftz.f32 s3, s3; cvt.rn.f16x2.f32 h0, s1, s0;
        cvt.rn.f16x2.f32 h1, s3, s2; sub.f32 s4, s4, z0; sub.f32 s5, s5, z0; sub.f32 s6, s6, z1; sub.f32 s7, s7, z1; ex2.approx.ftz.f32 s4, s4; ex2.approx.ftz.f32 s5, s5;
        ex2.approx.ftz.f32 s6, s6; ex2.approx.ftz.f32 s7, s7; cvt.rn.f16x2.f32 h2, s5, s4; cvt.rn.f16x2.f32 h3, s7, s6; sub.f32 s8, s8, z0; sub.f32 s9, s9, z0; sub.f32 s10, s10, z1;
        sub.f32 s11, s11, z1; ex2.approx.ftz.f32 s8, s8; ex2.approx.ftz.f32 s9, s9; ex2.approx.ftz.f32 s10, s10; ex2.approx.ftz.f32 s11, s11; cvt.rn.f16x2.f32 h4, s9, s8;
        cvt.rn.f16x2.f32 h5, s11, s10; sub.f32 s12, s12, z0; sub.f32 s13, s13, z0; sub.f32 s14, s14, z1; sub.f32 s15, s15, z1; ex2.approx.ftz.f32 s12, s12; ex2.approx.ftz.f32 s13, s13;
        ex2.approx.ftz.f32 s14, s14; ex2.approx.ftz.f32 s15, s15; cvt.rn.f16x2.f32 h6, s13, s12; cvt.rn.f16x2.f32 h7, s15, s14; sub.f32 s16, s16, z0; sub.f32 s17, s17, z0;
        sub.f32 s18, s18, z1; sub.f32 s19, s19, z1; ex2.approx.ftz.f32 s16, s16; ex2.approx.ftz.f32 s17, s17; ex2.approx.ftz.f32 s18, s18; ex2.approx.ftz.f32 s19, s19;
        cvt.rn.f16x2.f32 h8, s17, s16; cvt.rn.f16x2.f32 h9, s19, s18; sub.f32 s20, s20, z0; sub.f32 s21, s21, z0; sub.f32 s22, s22, z1; sub.f32 s23, s23, z1;
        ex2.approx.ftz.f32 s20, s20; ex2.approx.ftz.f32 s21, s21; ex2.approx.ftz.f32 s22, s22; ex2.approx.ftz.f32 s23, s23; cvt.rn.f16x2.f32 h10, s21, s20;
        cvt.rn.f16x2.f32 h11, s23, s22; sub.f32 s24, s24, z0; sub.f32 s25, s25, z0; sub.f32 s26, s26, z1; sub.f32 s27, s27, z1; ex2.approx.ftz.f32 s24, s24;
        ex2.approx.ftz.f32 s25, s25; ex2.approx.ftz.f32 s26, s26; ex2.approx.ftz.f32 s27, s27; cvt.rn.f16x2.f32 h12, s25, s24; cvt.rn.f16x2.f32 h13, s27, s26; sub.f32 s28, s28, z0;
        sub.f32 s29, s29, z0; sub.f32 s30, s30, z1; sub.f32 s31, s31, z1; ex2.approx.ftz.f32 s28, s28; ex2.approx.ftz.f32 s29, s29; ex2.approx.ftz.f32 s30, s30;
        ex2.approx.ftz.f32 s31, s31; cvt.rn.f16x2.f32 h14, s29, s28; cvt.rn.f16x2.f32 h15, s31, s30; add.f32 s0, s0, s1; add.f32 s4, s4, s5; add.f32 s8, s8, s9; add.f32 s12, s12, s13;
        add.f32 s16, s16, s17; add.f32 s20, s20, s21; add.f32 s24, s24, s25; add.f32 s28, s28, s29; add.f32 s0, s0, s4; add.f32 s8, s8, s12; add.f32 s16, s16, s20;
        add.f32 s24, s24, s28; add.f32 s0, s0, s8; add.f32 s16, s16, s24; add.f32 s0, s0, s16; add.f32 l0, l0, s0; add.f32 s2, s2, s3; add.f32 s6, s6, s7; add.f32 s10, s10, s11;
        add.f32 s14, s14, s15; add.f32 s18, s18, s19; add.f32 s22, s22, s23; add.f32 s26, s26, s27; add.f32 s30, s30, s31; add.f32 s2, s2, s6; add.f32 s10, s10, s14;
        add.f32 s18, s18, s22; add.f32 s26, s26, s30; add.f32 s2, s2, s10; add.f32 s18, s18, s26; add.f32 s2, s2, s18; add.f32 l1, l1, s2;
        """;

    /// <summary>o += h·v of 64 values at va.</summary>
    public const string Values64 = """
        mov.b32 at, va; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o0, o1, o2, o3}, {h0, h1, h2, h3}, {f0, f1}, {o0, o1, o2, o3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o4, o5, o6, o7}, {h0, h1, h2, h3}, {f2, f3}, {o4, o5, o6, o7}; xor.b32 at, va, 32;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o8, o9, o10, o11}, {h0, h1, h2, h3}, {f4, f5}, {o8, o9, o10, o11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o12, o13, o14, o15}, {h0, h1, h2, h3}, {f6, f7}, {o12, o13, o14, o15}; xor.b32 at, va, 64;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o16, o17, o18, o19}, {h0, h1, h2, h3}, {f0, f1}, {o16, o17, o18, o19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o20, o21, o22, o23}, {h0, h1, h2, h3}, {f2, f3}, {o20, o21, o22, o23}; xor.b32 at, va, 96;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o24, o25, o26, o27}, {h0, h1, h2, h3}, {f4, f5}, {o24, o25, o26, o27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o28, o29, o30, o31}, {h0, h1, h2, h3}, {f6, f7}, {o28, o29, o30, o31}; mov.b32 at, va;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o0, o1, o2, o3}, {h4, h5, h6, h7}, {f0, f1}, {o0, o1, o2, o3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o4, o5, o6, o7}, {h4, h5, h6, h7}, {f2, f3}, {o4, o5, o6, o7}; xor.b32 at, va, 32;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o8, o9, o10, o11}, {h4, h5, h6, h7}, {f4, f5}, {o8, o9, o10, o11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o12, o13, o14, o15}, {h4, h5, h6, h7}, {f6, f7}, {o12, o13, o14, o15}; xor.b32 at, va, 64;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o16, o17, o18, o19}, {h4, h5, h6, h7}, {f0, f1}, {o16, o17, o18, o19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o20, o21, o22, o23}, {h4, h5, h6, h7}, {f2, f3}, {o20, o21, o22, o23}; xor.b32 at, va, 96;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+2048];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o24, o25, o26, o27}, {h4, h5, h6, h7}, {f4, f5}, {o24, o25, o26, o27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o28, o29, o30, o31}, {h4, h5, h6, h7}, {f6, f7}, {o28, o29, o30, o31}; mov.b32 at, va;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o0, o1, o2, o3}, {h8, h9, h10, h11}, {f0, f1}, {o0, o1, o2, o3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o4, o5, o6, o7}, {h8, h9, h10, h11}, {f2, f3}, {o4, o5, o6, o7}; xor.b32 at, va, 32;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o8, o9, o10, o11}, {h8, h9, h10, h11}, {f4, f5}, {o8, o9, o10, o11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o12, o13, o14, o15}, {h8, h9, h10, h11}, {f6, f7}, {o12, o13, o14, o15}; xor.b32 at, va, 64;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o16, o17, o18, o19}, {h8, h9, h10, h11}, {f0, f1}, {o16, o17, o18, o19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o20, o21, o22, o23}, {h8, h9, h10, h11}, {f2, f3}, {o20, o21, o22, o23}; xor.b32 at, va, 96;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o24, o25, o26, o27}, {h8, h9, h10, h11}, {f4, f5}, {o24, o25, o26, o27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o28, o29, o30, o31}, {h8, h9, h10, h11}, {f6, f7}, {o28, o29, o30, o31}; mov.b32 at, va;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o0, o1, o2, o3}, {h12, h13, h14, h15}, {f0, f1}, {o0, o1, o2, o3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o4, o5, o6, o7}, {h12, h13, h14, h15}, {f2, f3}, {o4, o5, o6, o7}; xor.b32 at, va, 32;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o8, o9, o10, o11}, {h12, h13, h14, h15}, {f4, f5}, {o8, o9, o10, o11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o12, o13, o14, o15}, {h12, h13, h14, h15}, {f6, f7}, {o12, o13, o14, o15}; xor.b32 at, va, 64;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o16, o17, o18, o19}, {h12, h13, h14, h15}, {f0, f1}, {o16, o17, o18, o19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o20, o21, o22, o23}, {h12, h13, h14, h15}, {f2, f3}, {o20, o21, o22, o23}; xor.b32 at, va, 96;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+6144];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o24, o25, o26, o27}, {h12, h13, h14, h15}, {f4, f5}, {o24, o25, o26, o27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o28, o29, o30, o31}, {h12, h13, h14, h15}, {f6, f7}, {o28, o29, o30, o31};
        """;

    /// <summary>o·z to rows at qa and qb (if r0, r1), %0 = head_dim.</summary>
    public const string Write64 = """
        setp.gt.and.s32 g0, %0, 0, r0; setp.gt.and.s32 g1, %0, 0, r1; mul.f32 o0, o0, z0; mul.f32 o1, o1, z0; mul.f32 o2, o2, z1; mul.f32 o3, o3, z1;
        @g0 st.global.v2.f32 [qa+0], {o0, o1}; @g1 st.global.v2.f32 [qb+0], {o2, o3}; setp.gt.and.s32 g0, %0, 8, r0; setp.gt.and.s32 g1, %0, 8, r1; mul.f32 o4, o4, z0;
        mul.f32 o5, o5, z0; mul.f32 o6, o6, z1; mul.f32 o7, o7, z1; @g0 st.global.v2.f32 [qa+32], {o4, o5}; @g1 st.global.v2.f32 [qb+32], {o6, o7}; setp.gt.and.s32 g0, %0, 16, r0;
        setp.gt.and.s32 g1, %0, 16, r1; mul.f32 o8, o8, z0; mul.f32 o9, o9, z0; mul.f32 o10, o10, z1; mul.f32 o11, o11, z1; @g0 st.global.v2.f32 [qa+64], {o8, o9};
        @g1 st.global.v2.f32 [qb+64], {o10, o11}; setp.gt.and.s32 g0, %0, 24, r0; setp.gt.and.s32 g1, %0, 24, r1; mul.f32 o12, o12, z0; mul.f32 o13, o13, z0; mul.f32 o14, o14, z1;
        mul.f32 o15, o15, z1; @g0 st.global.v2.f32 [qa+96], {o12, o13}; @g1 st.global.v2.f32 [qb+96], {o14, o15}; setp.gt.and.s32 g0, %0, 32, r0; setp.gt.and.s32 g1, %0, 32, r1;
        mul.f32 o16, o16, z0; mul.f32 o17, o17, z0; mul.f32 o18, o18, z1; mul.f32 o19, o19, z1; @g0 st.global.v2.f32 [qa+128], {o16, o17}; @g1 st.global.v2.f32 [qb+128], {o18, o19};
        setp.gt.and.s32 g0, %0, 40, r0; setp.gt.and.s32 g1, %0, 40, r1; mul.f32 o20, o20, z0; mul.f32 o21, o21, z0; mul.f32 o22, o22, z1; mul.f32 o23, o23, z1;
        @g0 st.global.v2.f32 [qa+160], {o20, o21}; @g1 st.global.v2.f32 [qb+160], {o22, o23}; setp.gt.and.s32 g0, %0, 48, r0; setp.gt.and.s32 g1, %0, 48, r1; mul.f32 o24, o24, z0;
        mul.f32 o25, o25, z0; mul.f32 o26, o26, z1; mul.f32 o27, o27, z1; @g0 st.global.v2.f32 [qa+192], {o24, o25}; @g1 st.global.v2.f32 [qb+192], {o26, o27};
        setp.gt.and.s32 g0, %0, 56, r0; setp.gt.and.s32 g1, %0, 56, r1; mul.f32 o28, o28, z0; mul.f32 o29, o29, z0; mul.f32 o30, o30, z1; mul.f32 o31, o31, z1;
        @g0 st.global.v2.f32 [qa+224], {o28, o29}; @g1 st.global.v2.f32 [qb+224], {o30, o31};
        """;

    /// <summary>Stages of 32 keys and values of up to 96 dimensions, sums set to 0.</summary>
    public const string Declare96 = """
        .shared .align 1024 .b8 tile[49152]; .reg .f32 o<48>; .reg .b32 q<24>; .reg .f32 s<16>; .reg .b32 h<8>; .reg .b32 f<8>; .reg .f32 x<8>; .reg .f32 m<2>; .reg .f32 l<2>;
        .reg .f32 z<2>; .reg .f32 c<2>; .reg .b32 ka; .reg .b32 va; .reg .b32 at; .reg .b64 qa; .reg .b64 qb; .reg .f32 ninf; .reg .pred r<2>; .reg .pred g<4>;
        mov.f32 ninf, 0fFF800000; mov.f32 m0, ninf; mov.f32 m1, ninf; mov.f32 l0, 0f00000000; mov.f32 l1, 0f00000000; mov.f32 o0, 0f00000000; mov.f32 o1, 0f00000000;
        mov.f32 o2, 0f00000000; mov.f32 o3, 0f00000000; mov.f32 o4, 0f00000000; mov.f32 o5, 0f00000000; mov.f32 o6, 0f00000000; mov.f32 o7, 0f00000000; mov.f32 o8, 0f00000000;
        mov.f32 o9, 0f00000000; mov.f32 o10, 0f00000000; mov.f32 o11, 0f00000000; mov.f32 o12, 0f00000000; mov.f32 o13, 0f00000000; mov.f32 o14, 0f00000000; mov.f32 o15, 0f00000000;
        mov.f32 o16, 0f00000000; mov.f32 o17, 0f00000000; mov.f32 o18, 0f00000000; mov.f32 o19, 0f00000000; mov.f32 o20, 0f00000000; mov.f32 o21, 0f00000000; mov.f32 o22, 0f00000000;
        mov.f32 o23, 0f00000000; mov.f32 o24, 0f00000000; mov.f32 o25, 0f00000000; mov.f32 o26, 0f00000000; mov.f32 o27, 0f00000000; mov.f32 o28, 0f00000000; mov.f32 o29, 0f00000000;
        mov.f32 o30, 0f00000000; mov.f32 o31, 0f00000000; mov.f32 o32, 0f00000000; mov.f32 o33, 0f00000000; mov.f32 o34, 0f00000000; mov.f32 o35, 0f00000000; mov.f32 o36, 0f00000000;
        mov.f32 o37, 0f00000000; mov.f32 o38, 0f00000000; mov.f32 o39, 0f00000000; mov.f32 o40, 0f00000000; mov.f32 o41, 0f00000000; mov.f32 o42, 0f00000000; mov.f32 o43, 0f00000000;
        mov.f32 o44, 0f00000000; mov.f32 o45, 0f00000000; mov.f32 o46, 0f00000000; mov.f32 o47, 0f00000000;
        """;

    /// <summary>Fragments of the scaled queries: rows at qa and qb (if r0, r1), %0 = head_dim, %1 = scale.</summary>
    public const string Query96 = """
        setp.gt.and.s32 g0, %0, 0, r0; setp.gt.and.s32 g1, %0, 0, r1; setp.gt.and.s32 g2, %0, 8, r0; setp.gt.and.s32 g3, %0, 8, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000;
        mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000;
        @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+0]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+0]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+32]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+32];
        mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q0, x1, x0;
        cvt.rn.f16x2.f32 q1, x3, x2; cvt.rn.f16x2.f32 q2, x5, x4; cvt.rn.f16x2.f32 q3, x7, x6; setp.gt.and.s32 g0, %0, 16, r0; setp.gt.and.s32 g1, %0, 16, r1;
        setp.gt.and.s32 g2, %0, 24, r0; setp.gt.and.s32 g3, %0, 24, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+64];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+64]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+96]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+96]; mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000;
        min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1; max.f32 x2, x2, 0fC77FE000;
        min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1; max.f32 x4, x4, 0fC77FE000;
        min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1; max.f32 x6, x6, 0fC77FE000;
        min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q4, x1, x0; cvt.rn.f16x2.f32 q5, x3, x2;
        cvt.rn.f16x2.f32 q6, x5, x4; cvt.rn.f16x2.f32 q7, x7, x6; setp.gt.and.s32 g0, %0, 32, r0; setp.gt.and.s32 g1, %0, 32, r1; setp.gt.and.s32 g2, %0, 40, r0;
        setp.gt.and.s32 g3, %0, 40, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000;
        mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+128]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+128];
        @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+160]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+160]; mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000;
        mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1; max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1;
        max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1; max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1;
        max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1; max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1;
        max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q8, x1, x0; cvt.rn.f16x2.f32 q9, x3, x2; cvt.rn.f16x2.f32 q10, x5, x4; cvt.rn.f16x2.f32 q11, x7, x6;
        setp.gt.and.s32 g0, %0, 48, r0; setp.gt.and.s32 g1, %0, 48, r1; setp.gt.and.s32 g2, %0, 56, r0; setp.gt.and.s32 g3, %0, 56, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000;
        mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000;
        @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+192]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+192]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+224]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+224];
        mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q12, x1, x0;
        cvt.rn.f16x2.f32 q13, x3, x2; cvt.rn.f16x2.f32 q14, x5, x4; cvt.rn.f16x2.f32 q15, x7, x6; setp.gt.and.s32 g0, %0, 64, r0; setp.gt.and.s32 g1, %0, 64, r1;
        setp.gt.and.s32 g2, %0, 72, r0; setp.gt.and.s32 g3, %0, 72, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+256];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+256]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+288]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+288]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q16, x1, x0;
        cvt.rn.f16x2.f32 q17, x3, x2; cvt.rn.f16x2.f32 q18, x5, x4; cvt.rn.f16x2.f32 q19, x7, x6; setp.gt.and.s32 g0, %0, 80, r0; setp.gt.and.s32 g1, %0, 80, r1;
        setp.gt.and.s32 g2, %0, 88, r0; setp.gt.and.s32 g3, %0, 88, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+320];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+320]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+352]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+352]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q20, x1, x0;
        cvt.rn.f16x2.f32 q21, x3, x2; cvt.rn.f16x2.f32 q22, x5, x4; cvt.rn.f16x2.f32 q23, x7, x6;
        """;

    /// <summary>s = q·k of 32 keys at ka.</summary>
    public const string Scores96 = """
        mov.f32 s0, 0f00000000; mov.f32 s1, 0f00000000; mov.f32 s2, 0f00000000; mov.f32 s3, 0f00000000; mov.f32 s4, 0f00000000; mov.f32 s5, 0f00000000; mov.f32 s6, 0f00000000;
        mov.f32 s7, 0f00000000; mov.f32 s8, 0f00000000; mov.f32 s9, 0f00000000; mov.f32 s10, 0f00000000; mov.f32 s11, 0f00000000; mov.f32 s12, 0f00000000; mov.f32 s13, 0f00000000;
        mov.f32 s14, 0f00000000; mov.f32 s15, 0f00000000; mov.b32 at, ka; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q0, q1, q2, q3}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q0, q1, q2, q3}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q0, q1, q2, q3}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q0, q1, q2, q3}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 32;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q4, q5, q6, q7}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q4, q5, q6, q7}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q4, q5, q6, q7}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q4, q5, q6, q7}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 64;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q8, q9, q10, q11}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q8, q9, q10, q11}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q8, q9, q10, q11}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q8, q9, q10, q11}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 96;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q12, q13, q14, q15}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q12, q13, q14, q15}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q12, q13, q14, q15}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q12, q13, q14, q15}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 128;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q16, q17, q18, q19}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q16, q17, q18, q19}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q16, q17, q18, q19}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q16, q17, q18, q19}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 160;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q20, q21, q22, q23}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q20, q21, q22, q23}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q20, q21, q22, q23}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q20, q21, q22, q23}, {f6, f7}, {s12, s13, s14, s15};
        """;

    /// <summary>s to exp2(s − maximum) in h; sums are rescaled only where a row's maximum has grown.</summary>
    public const string Softmax96 = """
        max.f32 z0, s0, s1; max.f32 z1, s2, s3; max.f32 z0, z0, s4; max.f32 z0, z0, s5; max.f32 z1, z1, s6; max.f32 z1, z1, s7; max.f32 z0, z0, s8; max.f32 z0, z0, s9;
        max.f32 z1, z1, s10; max.f32 z1, z1, s11; max.f32 z0, z0, s12; max.f32 z0, z0, s13; max.f32 z1, z1, s14; max.f32 z1, z1, s15; shfl.sync.bfly.b32 x0, z0, 1, 31, 0xffffffff;
        shfl.sync.bfly.b32 x1, z1, 1, 31, 0xffffffff; max.f32 z0, z0, x0; max.f32 z1, z1, x1; shfl.sync.bfly.b32 x0, z0, 2, 31, 0xffffffff;
        shfl.sync.bfly.b32 x1, z1, 2, 31, 0xffffffff; max.f32 z0, z0, x0; max.f32 z1, z1, x1; max.f32 z0, z0, m0; max.f32 z1, z1, m1; setp.neu.f32 g0, z0, m0;
        setp.neu.or.f32 g0, z1, m1, g0; vote.sync.any.pred g1, g0, 0xffffffff; @!g1 bra kept; setp.eq.f32 g2, z0, ninf; setp.eq.f32 g3, z1, ninf; selp.f32 x0, 0f00000000, z0, g2;
        selp.f32 x1, 0f00000000, z1, g3; sub.f32 c0, m0, x0; sub.f32 c1, m1, x1; ex2.approx.ftz.f32 c0, c0; ex2.approx.ftz.f32 c1, c1; mov.f32 m0, z0; mov.f32 m1, z1;
        mul.f32 l0, l0, c0; mul.f32 l1, l1, c1; mul.f32 o0, o0, c0; mul.f32 o1, o1, c0; mul.f32 o2, o2, c1; mul.f32 o3, o3, c1; mul.f32 o4, o4, c0; mul.f32 o5, o5, c0;
        mul.f32 o6, o6, c1; mul.f32 o7, o7, c1; mul.f32 o8, o8, c0; mul.f32 o9, o9, c0; mul.f32 o10, o10, c1; mul.f32 o11, o11, c1; mul.f32 o12, o12, c0; mul.f32 o13, o13, c0;
        mul.f32 o14, o14, c1; mul.f32 o15, o15, c1; mul.f32 o16, o16, c0; mul.f32 o17, o17, c0; mul.f32 o18, o18, c1; mul.f32 o19, o19, c1; mul.f32 o20, o20, c0; mul.f32 o21, o21, c0;
        mul.f32 o22, o22, c1; mul.f32 o23, o23, c1; mul.f32 o24, o24, c0; mul.f32 o25, o25, c0; mul.f32 o26, o26, c1; mul.f32 o27, o27, c1; mul.f32 o28, o28, c0; mul.f32 o29, o29, c0;
        mul.f32 o30, o30, c1; mul.f32 o31, o31, c1; mul.f32 o32, o32, c0; mul.f32 o33, o33, c0; mul.f32 o34, o34, c1; mul.f32 o35, o35, c1; mul.f32 o36, o36, c0; mul.f32 o37, o37, c0;
        mul.f32 o38, o38, c1; mul.f32 o39, o39, c1; mul.f32 o40, o40, c0; mul.f32 o41, o41, c0; mul.f32 o42, o42, c1; mul.f32 o43, o43, c1; mul.f32 o44, o44, c0; mul.f32 o45, o45, c0;
        mul.f32 o46, o46, c1; mul.f32 o47, o47, c1;
        kept:
        setp.eq.f32 g2, m0, ninf; setp.eq.f32 g3, m1, ninf; selp.f32 z0, 0f00000000, m0, g2; selp.f32 z1, 0f00000000, m1, g3; sub.f32 s0, s0, z0; sub.f32 s1, s1, z0;
        sub.f32 s2, s2, z1; sub.f32 s3, s3, z1; ex2.approx.ftz.f32 s0, s0; ex2.approx.ftz.f32 s1, s1; ex2.approx.ftz.f32 s2, s2; ex2.approx.ftz.f32 s3, s3; cvt.rn.f16x2.f32 h0, s1, s0;
        cvt.rn.f16x2.f32 h1, s3, s2; sub.f32 s4, s4, z0; sub.f32 s5, s5, z0; sub.f32 s6, s6, z1; sub.f32 s7, s7, z1; ex2.approx.ftz.f32 s4, s4; ex2.approx.ftz.f32 s5, s5;
        ex2.approx.ftz.f32 s6, s6; ex2.approx.ftz.f32 s7, s7; cvt.rn.f16x2.f32 h2, s5, s4; cvt.rn.f16x2.f32 h3, s7, s6; sub.f32 s8, s8, z0; sub.f32 s9, s9, z0; sub.f32 s10, s10, z1;
        sub.f32 s11, s11, z1; ex2.approx.ftz.f32 s8, s8; ex2.approx.ftz.f32 s9, s9; ex2.approx.ftz.f32 s10, s10; ex2.approx.ftz.f32 s11, s11; cvt.rn.f16x2.f32 h4, s9, s8;
        cvt.rn.f16x2.f32 h5, s11, s10; sub.f32 s12, s12, z0; sub.f32 s13, s13, z0; sub.f32 s14, s14, z1; sub.f32 s15, s15, z1; ex2.approx.ftz.f32 s12, s12; ex2.approx.ftz.f32 s13, s13;
        ex2.approx.ftz.f32 s14, s14; ex2.approx.ftz.f32 s15, s15; cvt.rn.f16x2.f32 h6, s13, s12; cvt.rn.f16x2.f32 h7, s15, s14; add.f32 s0, s0, s1; add.f32 s4, s4, s5;
        add.f32 s8, s8, s9; add.f32 s12, s12, s13; add.f32 s0, s0, s4; add.f32 s8, s8, s12; add.f32 s0, s0, s8; add.f32 l0, l0, s0; add.f32 s2, s2, s3; add.f32 s6, s6, s7;
        add.f32 s10, s10, s11; add.f32 s14, s14, s15; add.f32 s2, s2, s6; add.f32 s10, s10, s14; add.f32 s2, s2, s10; add.f32 l1, l1, s2;
        """;

    /// <summary>o += h·v of 32 values at va.</summary>
    public const string Values96 = """
        mov.b32 at, va; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o0, o1, o2, o3}, {h0, h1, h2, h3}, {f0, f1}, {o0, o1, o2, o3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o4, o5, o6, o7}, {h0, h1, h2, h3}, {f2, f3}, {o4, o5, o6, o7}; xor.b32 at, va, 32;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o8, o9, o10, o11}, {h0, h1, h2, h3}, {f4, f5}, {o8, o9, o10, o11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o12, o13, o14, o15}, {h0, h1, h2, h3}, {f6, f7}, {o12, o13, o14, o15}; xor.b32 at, va, 64;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o16, o17, o18, o19}, {h0, h1, h2, h3}, {f0, f1}, {o16, o17, o18, o19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o20, o21, o22, o23}, {h0, h1, h2, h3}, {f2, f3}, {o20, o21, o22, o23}; xor.b32 at, va, 96;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o24, o25, o26, o27}, {h0, h1, h2, h3}, {f4, f5}, {o24, o25, o26, o27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o28, o29, o30, o31}, {h0, h1, h2, h3}, {f6, f7}, {o28, o29, o30, o31}; xor.b32 at, va, 128;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o32, o33, o34, o35}, {h0, h1, h2, h3}, {f0, f1}, {o32, o33, o34, o35};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o36, o37, o38, o39}, {h0, h1, h2, h3}, {f2, f3}, {o36, o37, o38, o39}; xor.b32 at, va, 160;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o40, o41, o42, o43}, {h0, h1, h2, h3}, {f4, f5}, {o40, o41, o42, o43};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o44, o45, o46, o47}, {h0, h1, h2, h3}, {f6, f7}, {o44, o45, o46, o47}; mov.b32 at, va;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o0, o1, o2, o3}, {h4, h5, h6, h7}, {f0, f1}, {o0, o1, o2, o3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o4, o5, o6, o7}, {h4, h5, h6, h7}, {f2, f3}, {o4, o5, o6, o7}; xor.b32 at, va, 32;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o8, o9, o10, o11}, {h4, h5, h6, h7}, {f4, f5}, {o8, o9, o10, o11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o12, o13, o14, o15}, {h4, h5, h6, h7}, {f6, f7}, {o12, o13, o14, o15}; xor.b32 at, va, 64;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o16, o17, o18, o19}, {h4, h5, h6, h7}, {f0, f1}, {o16, o17, o18, o19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o20, o21, o22, o23}, {h4, h5, h6, h7}, {f2, f3}, {o20, o21, o22, o23}; xor.b32 at, va, 96;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o24, o25, o26, o27}, {h4, h5, h6, h7}, {f4, f5}, {o24, o25, o26, o27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o28, o29, o30, o31}, {h4, h5, h6, h7}, {f6, f7}, {o28, o29, o30, o31}; xor.b32 at, va, 128;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o32, o33, o34, o35}, {h4, h5, h6, h7}, {f0, f1}, {o32, o33, o34, o35};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o36, o37, o38, o39}, {h4, h5, h6, h7}, {f2, f3}, {o36, o37, o38, o39}; xor.b32 at, va, 160;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o40, o41, o42, o43}, {h4, h5, h6, h7}, {f4, f5}, {o40, o41, o42, o43};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o44, o45, o46, o47}, {h4, h5, h6, h7}, {f6, f7}, {o44, o45, o46, o47};
        """;

    /// <summary>o·z to rows at qa and qb (if r0, r1), %0 = head_dim.</summary>
    public const string Write96 = """
        setp.gt.and.s32 g0, %0, 0, r0; setp.gt.and.s32 g1, %0, 0, r1; mul.f32 o0, o0, z0; mul.f32 o1, o1, z0; mul.f32 o2, o2, z1; mul.f32 o3, o3, z1;
        @g0 st.global.v2.f32 [qa+0], {o0, o1}; @g1 st.global.v2.f32 [qb+0], {o2, o3}; setp.gt.and.s32 g0, %0, 8, r0; setp.gt.and.s32 g1, %0, 8, r1; mul.f32 o4, o4, z0;
        mul.f32 o5, o5, z0; mul.f32 o6, o6, z1; mul.f32 o7, o7, z1; @g0 st.global.v2.f32 [qa+32], {o4, o5}; @g1 st.global.v2.f32 [qb+32], {o6, o7}; setp.gt.and.s32 g0, %0, 16, r0;
        setp.gt.and.s32 g1, %0, 16, r1; mul.f32 o8, o8, z0; mul.f32 o9, o9, z0; mul.f32 o10, o10, z1; mul.f32 o11, o11, z1; @g0 st.global.v2.f32 [qa+64], {o8, o9};
        @g1 st.global.v2.f32 [qb+64], {o10, o11}; setp.gt.and.s32 g0, %0, 24, r0; setp.gt.and.s32 g1, %0, 24, r1; mul.f32 o12, o12, z0; mul.f32 o13, o13, z0; mul.f32 o14, o14, z1;
        mul.f32 o15, o15, z1; @g0 st.global.v2.f32 [qa+96], {o12, o13}; @g1 st.global.v2.f32 [qb+96], {o14, o15}; setp.gt.and.s32 g0, %0, 32, r0; setp.gt.and.s32 g1, %0, 32, r1;
        mul.f32 o16, o16, z0; mul.f32 o17, o17, z0; mul.f32 o18, o18, z1; mul.f32 o19, o19, z1; @g0 st.global.v2.f32 [qa+128], {o16, o17}; @g1 st.global.v2.f32 [qb+128], {o18, o19};
        setp.gt.and.s32 g0, %0, 40, r0; setp.gt.and.s32 g1, %0, 40, r1; mul.f32 o20, o20, z0; mul.f32 o21, o21, z0; mul.f32 o22, o22, z1; mul.f32 o23, o23, z1;
        @g0 st.global.v2.f32 [qa+160], {o20, o21}; @g1 st.global.v2.f32 [qb+160], {o22, o23}; setp.gt.and.s32 g0, %0, 48, r0; setp.gt.and.s32 g1, %0, 48, r1; mul.f32 o24, o24, z0;
        mul.f32 o25, o25, z0; mul.f32 o26, o26, z1; mul.f32 o27, o27, z1; @g0 st.global.v2.f32 [qa+192], {o24, o25}; @g1 st.global.v2.f32 [qb+192], {o26, o27};
        setp.gt.and.s32 g0, %0, 56, r0; setp.gt.and.s32 g1, %0, 56, r1; mul.f32 o28, o28, z0; mul.f32 o29, o29, z0; mul.f32 o30, o30, z1; mul.f32 o31, o31, z1;
        @g0 st.global.v2.f32 [qa+224], {o28, o29}; @g1 st.global.v2.f32 [qb+224], {o30, o31}; setp.gt.and.s32 g0, %0, 64, r0; setp.gt.and.s32 g1, %0, 64, r1; mul.f32 o32, o32, z0;
        mul.f32 o33, o33, z0; mul.f32 o34, o34, z1; mul.f32 o35, o35, z1; @g0 st.global.v2.f32 [qa+256], {o32, o33}; @g1 st.global.v2.f32 [qb+256], {o34, o35};
        setp.gt.and.s32 g0, %0, 72, r0; setp.gt.and.s32 g1, %0, 72, r1; mul.f32 o36, o36, z0; mul.f32 o37, o37, z0; mul.f32 o38, o38, z1; mul.f32 o39, o39, z1;
        @g0 st.global.v2.f32 [qa+288], {o36, o37}; @g1 st.global.v2.f32 [qb+288], {o38, o39}; setp.gt.and.s32 g0, %0, 80, r0; setp.gt.and.s32 g1, %0, 80, r1; mul.f32 o40, o40, z0;
        mul.f32 o41, o41, z0; mul.f32 o42, o42, z1; mul.f32 o43, o43, z1; @g0 st.global.v2.f32 [qa+320], {o40, o41}; @g1 st.global.v2.f32 [qb+320], {o42, o43};
        setp.gt.and.s32 g0, %0, 88, r0; setp.gt.and.s32 g1, %0, 88, r1; mul.f32 o44, o44, z0; mul.f32 o45, o45, z0; mul.f32 o46, o46, z1; mul.f32 o47, o47, z1;
        @g0 st.global.v2.f32 [qa+352], {o44, o45}; @g1 st.global.v2.f32 [qb+352], {o46, o47};
        """;

    /// <summary>Stages of 32 keys and values of up to 128 dimensions, sums set to 0.</summary>
    public const string Declare128 = """
        .shared .align 1024 .b8 tile[49152]; .reg .f32 o<64>; .reg .b32 q<32>; .reg .f32 s<16>; .reg .b32 h<8>; .reg .b32 f<8>; .reg .f32 x<8>; .reg .f32 m<2>; .reg .f32 l<2>;
        .reg .f32 z<2>; .reg .f32 c<2>; .reg .b32 ka; .reg .b32 va; .reg .b32 at; .reg .b64 qa; .reg .b64 qb; .reg .f32 ninf; .reg .pred r<2>; .reg .pred g<4>;
        mov.f32 ninf, 0fFF800000; mov.f32 m0, ninf; mov.f32 m1, ninf; mov.f32 l0, 0f00000000; mov.f32 l1, 0f00000000; mov.f32 o0, 0f00000000; mov.f32 o1, 0f00000000;
        mov.f32 o2, 0f00000000; mov.f32 o3, 0f00000000; mov.f32 o4, 0f00000000; mov.f32 o5, 0f00000000; mov.f32 o6, 0f00000000; mov.f32 o7, 0f00000000; mov.f32 o8, 0f00000000;
        mov.f32 o9, 0f00000000; mov.f32 o10, 0f00000000; mov.f32 o11, 0f00000000; mov.f32 o12, 0f00000000; mov.f32 o13, 0f00000000; mov.f32 o14, 0f00000000; mov.f32 o15, 0f00000000;
        mov.f32 o16, 0f00000000; mov.f32 o17, 0f00000000; mov.f32 o18, 0f00000000; mov.f32 o19, 0f00000000; mov.f32 o20, 0f00000000; mov.f32 o21, 0f00000000; mov.f32 o22, 0f00000000;
        mov.f32 o23, 0f00000000; mov.f32 o24, 0f00000000; mov.f32 o25, 0f00000000; mov.f32 o26, 0f00000000; mov.f32 o27, 0f00000000; mov.f32 o28, 0f00000000; mov.f32 o29, 0f00000000;
        mov.f32 o30, 0f00000000; mov.f32 o31, 0f00000000; mov.f32 o32, 0f00000000; mov.f32 o33, 0f00000000; mov.f32 o34, 0f00000000; mov.f32 o35, 0f00000000; mov.f32 o36, 0f00000000;
        mov.f32 o37, 0f00000000; mov.f32 o38, 0f00000000; mov.f32 o39, 0f00000000; mov.f32 o40, 0f00000000; mov.f32 o41, 0f00000000; mov.f32 o42, 0f00000000; mov.f32 o43, 0f00000000;
        mov.f32 o44, 0f00000000; mov.f32 o45, 0f00000000; mov.f32 o46, 0f00000000; mov.f32 o47, 0f00000000; mov.f32 o48, 0f00000000; mov.f32 o49, 0f00000000; mov.f32 o50, 0f00000000;
        mov.f32 o51, 0f00000000; mov.f32 o52, 0f00000000; mov.f32 o53, 0f00000000; mov.f32 o54, 0f00000000; mov.f32 o55, 0f00000000; mov.f32 o56, 0f00000000; mov.f32 o57, 0f00000000;
        mov.f32 o58, 0f00000000; mov.f32 o59, 0f00000000; mov.f32 o60, 0f00000000; mov.f32 o61, 0f00000000; mov.f32 o62, 0f00000000; mov.f32 o63, 0f00000000;
        """;

    /// <summary>Fragments of the scaled queries: rows at qa and qb (if r0, r1), %0 = head_dim, %1 = scale.</summary>
    public const string Query128 = """
        setp.gt.and.s32 g0, %0, 0, r0; setp.gt.and.s32 g1, %0, 0, r1; setp.gt.and.s32 g2, %0, 8, r0; setp.gt.and.s32 g3, %0, 8, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000;
        mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000;
        @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+0]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+0]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+32]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+32];
        mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q0, x1, x0;
        cvt.rn.f16x2.f32 q1, x3, x2; cvt.rn.f16x2.f32 q2, x5, x4; cvt.rn.f16x2.f32 q3, x7, x6; setp.gt.and.s32 g0, %0, 16, r0; setp.gt.and.s32 g1, %0, 16, r1;
        setp.gt.and.s32 g2, %0, 24, r0; setp.gt.and.s32 g3, %0, 24, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+64];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+64]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+96]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+96]; mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000;
        min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1; max.f32 x2, x2, 0fC77FE000;
        min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1; max.f32 x4, x4, 0fC77FE000;
        min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1; max.f32 x6, x6, 0fC77FE000;
        min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q4, x1, x0; cvt.rn.f16x2.f32 q5, x3, x2;
        cvt.rn.f16x2.f32 q6, x5, x4; cvt.rn.f16x2.f32 q7, x7, x6; setp.gt.and.s32 g0, %0, 32, r0; setp.gt.and.s32 g1, %0, 32, r1; setp.gt.and.s32 g2, %0, 40, r0;
        setp.gt.and.s32 g3, %0, 40, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000;
        mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+128]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+128];
        @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+160]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+160]; mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000;
        mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1; max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1;
        max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1; max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1;
        max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1; max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1;
        max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q8, x1, x0; cvt.rn.f16x2.f32 q9, x3, x2; cvt.rn.f16x2.f32 q10, x5, x4; cvt.rn.f16x2.f32 q11, x7, x6;
        setp.gt.and.s32 g0, %0, 48, r0; setp.gt.and.s32 g1, %0, 48, r1; setp.gt.and.s32 g2, %0, 56, r0; setp.gt.and.s32 g3, %0, 56, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000;
        mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000;
        @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+192]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+192]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+224]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+224];
        mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q12, x1, x0;
        cvt.rn.f16x2.f32 q13, x3, x2; cvt.rn.f16x2.f32 q14, x5, x4; cvt.rn.f16x2.f32 q15, x7, x6; setp.gt.and.s32 g0, %0, 64, r0; setp.gt.and.s32 g1, %0, 64, r1;
        setp.gt.and.s32 g2, %0, 72, r0; setp.gt.and.s32 g3, %0, 72, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+256];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+256]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+288]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+288]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q16, x1, x0;
        cvt.rn.f16x2.f32 q17, x3, x2; cvt.rn.f16x2.f32 q18, x5, x4; cvt.rn.f16x2.f32 q19, x7, x6; setp.gt.and.s32 g0, %0, 80, r0; setp.gt.and.s32 g1, %0, 80, r1;
        setp.gt.and.s32 g2, %0, 88, r0; setp.gt.and.s32 g3, %0, 88, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+320];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+320]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+352]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+352]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q20, x1, x0;
        cvt.rn.f16x2.f32 q21, x3, x2; cvt.rn.f16x2.f32 q22, x5, x4; cvt.rn.f16x2.f32 q23, x7, x6; setp.gt.and.s32 g0, %0, 96, r0; setp.gt.and.s32 g1, %0, 96, r1;
        setp.gt.and.s32 g2, %0, 104, r0; setp.gt.and.s32 g3, %0, 104, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+384];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+384]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+416]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+416]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q24, x1, x0;
        cvt.rn.f16x2.f32 q25, x3, x2; cvt.rn.f16x2.f32 q26, x5, x4; cvt.rn.f16x2.f32 q27, x7, x6; setp.gt.and.s32 g0, %0, 112, r0; setp.gt.and.s32 g1, %0, 112, r1;
        setp.gt.and.s32 g2, %0, 120, r0; setp.gt.and.s32 g3, %0, 120, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+448];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+448]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+480]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+480]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q28, x1, x0;
        cvt.rn.f16x2.f32 q29, x3, x2; cvt.rn.f16x2.f32 q30, x5, x4; cvt.rn.f16x2.f32 q31, x7, x6;
        """;

    /// <summary>s = q·k of 32 keys at ka.</summary>
    public const string Scores128 = """
        mov.f32 s0, 0f00000000; mov.f32 s1, 0f00000000; mov.f32 s2, 0f00000000; mov.f32 s3, 0f00000000; mov.f32 s4, 0f00000000; mov.f32 s5, 0f00000000; mov.f32 s6, 0f00000000;
        mov.f32 s7, 0f00000000; mov.f32 s8, 0f00000000; mov.f32 s9, 0f00000000; mov.f32 s10, 0f00000000; mov.f32 s11, 0f00000000; mov.f32 s12, 0f00000000; mov.f32 s13, 0f00000000;
        mov.f32 s14, 0f00000000; mov.f32 s15, 0f00000000; mov.b32 at, ka; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q0, q1, q2, q3}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q0, q1, q2, q3}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q0, q1, q2, q3}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q0, q1, q2, q3}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 32;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q4, q5, q6, q7}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q4, q5, q6, q7}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q4, q5, q6, q7}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q4, q5, q6, q7}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 64;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q8, q9, q10, q11}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q8, q9, q10, q11}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q8, q9, q10, q11}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q8, q9, q10, q11}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 96;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q12, q13, q14, q15}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q12, q13, q14, q15}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q12, q13, q14, q15}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q12, q13, q14, q15}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 128;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q16, q17, q18, q19}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q16, q17, q18, q19}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q16, q17, q18, q19}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q16, q17, q18, q19}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 160;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q20, q21, q22, q23}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q20, q21, q22, q23}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q20, q21, q22, q23}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q20, q21, q22, q23}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 192;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q24, q25, q26, q27}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q24, q25, q26, q27}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q24, q25, q26, q27}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q24, q25, q26, q27}, {f6, f7}, {s12, s13, s14, s15}; xor.b32 at, ka, 224;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q28, q29, q30, q31}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q28, q29, q30, q31}, {f2, f3}, {s4, s5, s6, s7};
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s8, s9, s10, s11}, {q28, q29, q30, q31}, {f4, f5}, {s8, s9, s10, s11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s12, s13, s14, s15}, {q28, q29, q30, q31}, {f6, f7}, {s12, s13, s14, s15};
        """;

    /// <summary>s to exp2(s − maximum) in h; sums are rescaled only where a row's maximum has grown.</summary>
    public const string Softmax128 = """
        max.f32 z0, s0, s1; max.f32 z1, s2, s3; max.f32 z0, z0, s4; max.f32 z0, z0, s5; max.f32 z1, z1, s6; max.f32 z1, z1, s7; max.f32 z0, z0, s8; max.f32 z0, z0, s9;
        max.f32 z1, z1, s10; max.f32 z1, z1, s11; max.f32 z0, z0, s12; max.f32 z0, z0, s13; max.f32 z1, z1, s14; max.f32 z1, z1, s15; shfl.sync.bfly.b32 x0, z0, 1, 31, 0xffffffff;
        shfl.sync.bfly.b32 x1, z1, 1, 31, 0xffffffff; max.f32 z0, z0, x0; max.f32 z1, z1, x1; shfl.sync.bfly.b32 x0, z0, 2, 31, 0xffffffff;
        shfl.sync.bfly.b32 x1, z1, 2, 31, 0xffffffff; max.f32 z0, z0, x0; max.f32 z1, z1, x1; max.f32 z0, z0, m0; max.f32 z1, z1, m1; setp.neu.f32 g0, z0, m0;
        setp.neu.or.f32 g0, z1, m1, g0; vote.sync.any.pred g1, g0, 0xffffffff; @!g1 bra kept; setp.eq.f32 g2, z0, ninf; setp.eq.f32 g3, z1, ninf; selp.f32 x0, 0f00000000, z0, g2;
        selp.f32 x1, 0f00000000, z1, g3; sub.f32 c0, m0, x0; sub.f32 c1, m1, x1; ex2.approx.ftz.f32 c0, c0; ex2.approx.ftz.f32 c1, c1; mov.f32 m0, z0; mov.f32 m1, z1;
        mul.f32 l0, l0, c0; mul.f32 l1, l1, c1; mul.f32 o0, o0, c0; mul.f32 o1, o1, c0; mul.f32 o2, o2, c1; mul.f32 o3, o3, c1; mul.f32 o4, o4, c0; mul.f32 o5, o5, c0;
        mul.f32 o6, o6, c1; mul.f32 o7, o7, c1; mul.f32 o8, o8, c0; mul.f32 o9, o9, c0; mul.f32 o10, o10, c1; mul.f32 o11, o11, c1; mul.f32 o12, o12, c0; mul.f32 o13, o13, c0;
        mul.f32 o14, o14, c1; mul.f32 o15, o15, c1; mul.f32 o16, o16, c0; mul.f32 o17, o17, c0; mul.f32 o18, o18, c1; mul.f32 o19, o19, c1; mul.f32 o20, o20, c0; mul.f32 o21, o21, c0;
        mul.f32 o22, o22, c1; mul.f32 o23, o23, c1; mul.f32 o24, o24, c0; mul.f32 o25, o25, c0; mul.f32 o26, o26, c1; mul.f32 o27, o27, c1; mul.f32 o28, o28, c0; mul.f32 o29, o29, c0;
        mul.f32 o30, o30, c1; mul.f32 o31, o31, c1; mul.f32 o32, o32, c0; mul.f32 o33, o33, c0; mul.f32 o34, o34, c1; mul.f32 o35, o35, c1; mul.f32 o36, o36, c0; mul.f32 o37, o37, c0;
        mul.f32 o38, o38, c1; mul.f32 o39, o39, c1; mul.f32 o40, o40, c0; mul.f32 o41, o41, c0; mul.f32 o42, o42, c1; mul.f32 o43, o43, c1; mul.f32 o44, o44, c0; mul.f32 o45, o45, c0;
        mul.f32 o46, o46, c1; mul.f32 o47, o47, c1; mul.f32 o48, o48, c0; mul.f32 o49, o49, c0; mul.f32 o50, o50, c1; mul.f32 o51, o51, c1; mul.f32 o52, o52, c0; mul.f32 o53, o53, c0;
        mul.f32 o54, o54, c1; mul.f32 o55, o55, c1; mul.f32 o56, o56, c0; mul.f32 o57, o57, c0; mul.f32 o58, o58, c1; mul.f32 o59, o59, c1; mul.f32 o60, o60, c0; mul.f32 o61, o61, c0;
        mul.f32 o62, o62, c1; mul.f32 o63, o63, c1;
        kept:
        setp.eq.f32 g2, m0, ninf; setp.eq.f32 g3, m1, ninf; selp.f32 z0, 0f00000000, m0, g2; selp.f32 z1, 0f00000000, m1, g3; sub.f32 s0, s0, z0; sub.f32 s1, s1, z0;
        sub.f32 s2, s2, z1; sub.f32 s3, s3, z1; ex2.approx.ftz.f32 s0, s0; ex2.approx.ftz.f32 s1, s1; ex2.approx.ftz.f32 s2, s2; ex2.approx.ftz.f32 s3, s3; cvt.rn.f16x2.f32 h0, s1, s0;
        cvt.rn.f16x2.f32 h1, s3, s2; sub.f32 s4, s4, z0; sub.f32 s5, s5, z0; sub.f32 s6, s6, z1; sub.f32 s7, s7, z1; ex2.approx.ftz.f32 s4, s4; ex2.approx.ftz.f32 s5, s5;
        ex2.approx.ftz.f32 s6, s6; ex2.approx.ftz.f32 s7, s7; cvt.rn.f16x2.f32 h2, s5, s4; cvt.rn.f16x2.f32 h3, s7, s6; sub.f32 s8, s8, z0; sub.f32 s9, s9, z0; sub.f32 s10, s10, z1;
        sub.f32 s11, s11, z1; ex2.approx.ftz.f32 s8, s8; ex2.approx.ftz.f32 s9, s9; ex2.approx.ftz.f32 s10, s10; ex2.approx.ftz.f32 s11, s11; cvt.rn.f16x2.f32 h4, s9, s8;
        cvt.rn.f16x2.f32 h5, s11, s10; sub.f32 s12, s12, z0; sub.f32 s13, s13, z0; sub.f32 s14, s14, z1; sub.f32 s15, s15, z1; ex2.approx.ftz.f32 s12, s12; ex2.approx.ftz.f32 s13, s13;
        ex2.approx.ftz.f32 s14, s14; ex2.approx.ftz.f32 s15, s15; cvt.rn.f16x2.f32 h6, s13, s12; cvt.rn.f16x2.f32 h7, s15, s14; add.f32 s0, s0, s1; add.f32 s4, s4, s5;
        add.f32 s8, s8, s9; add.f32 s12, s12, s13; add.f32 s0, s0, s4; add.f32 s8, s8, s12; add.f32 s0, s0, s8; add.f32 l0, l0, s0; add.f32 s2, s2, s3; add.f32 s6, s6, s7;
        add.f32 s10, s10, s11; add.f32 s14, s14, s15; add.f32 s2, s2, s6; add.f32 s10, s10, s14; add.f32 s2, s2, s10; add.f32 l1, l1, s2;
        """;

    /// <summary>o += h·v of 32 values at va.</summary>
    public const string Values128 = """
        mov.b32 at, va; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o0, o1, o2, o3}, {h0, h1, h2, h3}, {f0, f1}, {o0, o1, o2, o3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o4, o5, o6, o7}, {h0, h1, h2, h3}, {f2, f3}, {o4, o5, o6, o7}; xor.b32 at, va, 32;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o8, o9, o10, o11}, {h0, h1, h2, h3}, {f4, f5}, {o8, o9, o10, o11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o12, o13, o14, o15}, {h0, h1, h2, h3}, {f6, f7}, {o12, o13, o14, o15}; xor.b32 at, va, 64;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o16, o17, o18, o19}, {h0, h1, h2, h3}, {f0, f1}, {o16, o17, o18, o19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o20, o21, o22, o23}, {h0, h1, h2, h3}, {f2, f3}, {o20, o21, o22, o23}; xor.b32 at, va, 96;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o24, o25, o26, o27}, {h0, h1, h2, h3}, {f4, f5}, {o24, o25, o26, o27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o28, o29, o30, o31}, {h0, h1, h2, h3}, {f6, f7}, {o28, o29, o30, o31}; xor.b32 at, va, 128;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o32, o33, o34, o35}, {h0, h1, h2, h3}, {f0, f1}, {o32, o33, o34, o35};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o36, o37, o38, o39}, {h0, h1, h2, h3}, {f2, f3}, {o36, o37, o38, o39}; xor.b32 at, va, 160;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o40, o41, o42, o43}, {h0, h1, h2, h3}, {f4, f5}, {o40, o41, o42, o43};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o44, o45, o46, o47}, {h0, h1, h2, h3}, {f6, f7}, {o44, o45, o46, o47}; xor.b32 at, va, 192;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o48, o49, o50, o51}, {h0, h1, h2, h3}, {f0, f1}, {o48, o49, o50, o51};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o52, o53, o54, o55}, {h0, h1, h2, h3}, {f2, f3}, {o52, o53, o54, o55}; xor.b32 at, va, 224;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o56, o57, o58, o59}, {h0, h1, h2, h3}, {f4, f5}, {o56, o57, o58, o59};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o60, o61, o62, o63}, {h0, h1, h2, h3}, {f6, f7}, {o60, o61, o62, o63}; mov.b32 at, va;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o0, o1, o2, o3}, {h4, h5, h6, h7}, {f0, f1}, {o0, o1, o2, o3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o4, o5, o6, o7}, {h4, h5, h6, h7}, {f2, f3}, {o4, o5, o6, o7}; xor.b32 at, va, 32;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o8, o9, o10, o11}, {h4, h5, h6, h7}, {f4, f5}, {o8, o9, o10, o11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o12, o13, o14, o15}, {h4, h5, h6, h7}, {f6, f7}, {o12, o13, o14, o15}; xor.b32 at, va, 64;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o16, o17, o18, o19}, {h4, h5, h6, h7}, {f0, f1}, {o16, o17, o18, o19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o20, o21, o22, o23}, {h4, h5, h6, h7}, {f2, f3}, {o20, o21, o22, o23}; xor.b32 at, va, 96;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o24, o25, o26, o27}, {h4, h5, h6, h7}, {f4, f5}, {o24, o25, o26, o27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o28, o29, o30, o31}, {h4, h5, h6, h7}, {f6, f7}, {o28, o29, o30, o31}; xor.b32 at, va, 128;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o32, o33, o34, o35}, {h4, h5, h6, h7}, {f0, f1}, {o32, o33, o34, o35};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o36, o37, o38, o39}, {h4, h5, h6, h7}, {f2, f3}, {o36, o37, o38, o39}; xor.b32 at, va, 160;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o40, o41, o42, o43}, {h4, h5, h6, h7}, {f4, f5}, {o40, o41, o42, o43};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o44, o45, o46, o47}, {h4, h5, h6, h7}, {f6, f7}, {o44, o45, o46, o47}; xor.b32 at, va, 192;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o48, o49, o50, o51}, {h4, h5, h6, h7}, {f0, f1}, {o48, o49, o50, o51};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o52, o53, o54, o55}, {h4, h5, h6, h7}, {f2, f3}, {o52, o53, o54, o55}; xor.b32 at, va, 224;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at+4096];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o56, o57, o58, o59}, {h4, h5, h6, h7}, {f4, f5}, {o56, o57, o58, o59};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o60, o61, o62, o63}, {h4, h5, h6, h7}, {f6, f7}, {o60, o61, o62, o63};
        """;

    /// <summary>o·z to rows at qa and qb (if r0, r1), %0 = head_dim.</summary>
    public const string Write128 = """
        setp.gt.and.s32 g0, %0, 0, r0; setp.gt.and.s32 g1, %0, 0, r1; mul.f32 o0, o0, z0; mul.f32 o1, o1, z0; mul.f32 o2, o2, z1; mul.f32 o3, o3, z1;
        @g0 st.global.v2.f32 [qa+0], {o0, o1}; @g1 st.global.v2.f32 [qb+0], {o2, o3}; setp.gt.and.s32 g0, %0, 8, r0; setp.gt.and.s32 g1, %0, 8, r1; mul.f32 o4, o4, z0;
        mul.f32 o5, o5, z0; mul.f32 o6, o6, z1; mul.f32 o7, o7, z1; @g0 st.global.v2.f32 [qa+32], {o4, o5}; @g1 st.global.v2.f32 [qb+32], {o6, o7}; setp.gt.and.s32 g0, %0, 16, r0;
        setp.gt.and.s32 g1, %0, 16, r1; mul.f32 o8, o8, z0; mul.f32 o9, o9, z0; mul.f32 o10, o10, z1; mul.f32 o11, o11, z1; @g0 st.global.v2.f32 [qa+64], {o8, o9};
        @g1 st.global.v2.f32 [qb+64], {o10, o11}; setp.gt.and.s32 g0, %0, 24, r0; setp.gt.and.s32 g1, %0, 24, r1; mul.f32 o12, o12, z0; mul.f32 o13, o13, z0; mul.f32 o14, o14, z1;
        mul.f32 o15, o15, z1; @g0 st.global.v2.f32 [qa+96], {o12, o13}; @g1 st.global.v2.f32 [qb+96], {o14, o15}; setp.gt.and.s32 g0, %0, 32, r0; setp.gt.and.s32 g1, %0, 32, r1;
        mul.f32 o16, o16, z0; mul.f32 o17, o17, z0; mul.f32 o18, o18, z1; mul.f32 o19, o19, z1; @g0 st.global.v2.f32 [qa+128], {o16, o17}; @g1 st.global.v2.f32 [qb+128], {o18, o19};
        setp.gt.and.s32 g0, %0, 40, r0; setp.gt.and.s32 g1, %0, 40, r1; mul.f32 o20, o20, z0; mul.f32 o21, o21, z0; mul.f32 o22, o22, z1; mul.f32 o23, o23, z1;
        @g0 st.global.v2.f32 [qa+160], {o20, o21}; @g1 st.global.v2.f32 [qb+160], {o22, o23}; setp.gt.and.s32 g0, %0, 48, r0; setp.gt.and.s32 g1, %0, 48, r1; mul.f32 o24, o24, z0;
        mul.f32 o25, o25, z0; mul.f32 o26, o26, z1; mul.f32 o27, o27, z1; @g0 st.global.v2.f32 [qa+192], {o24, o25}; @g1 st.global.v2.f32 [qb+192], {o26, o27};
        setp.gt.and.s32 g0, %0, 56, r0; setp.gt.and.s32 g1, %0, 56, r1; mul.f32 o28, o28, z0; mul.f32 o29, o29, z0; mul.f32 o30, o30, z1; mul.f32 o31, o31, z1;
        @g0 st.global.v2.f32 [qa+224], {o28, o29}; @g1 st.global.v2.f32 [qb+224], {o30, o31}; setp.gt.and.s32 g0, %0, 64, r0; setp.gt.and.s32 g1, %0, 64, r1; mul.f32 o32, o32, z0;
        mul.f32 o33, o33, z0; mul.f32 o34, o34, z1; mul.f32 o35, o35, z1; @g0 st.global.v2.f32 [qa+256], {o32, o33}; @g1 st.global.v2.f32 [qb+256], {o34, o35};
        setp.gt.and.s32 g0, %0, 72, r0; setp.gt.and.s32 g1, %0, 72, r1; mul.f32 o36, o36, z0; mul.f32 o37, o37, z0; mul.f32 o38, o38, z1; mul.f32 o39, o39, z1;
        @g0 st.global.v2.f32 [qa+288], {o36, o37}; @g1 st.global.v2.f32 [qb+288], {o38, o39}; setp.gt.and.s32 g0, %0, 80, r0; setp.gt.and.s32 g1, %0, 80, r1; mul.f32 o40, o40, z0;
        mul.f32 o41, o41, z0; mul.f32 o42, o42, z1; mul.f32 o43, o43, z1; @g0 st.global.v2.f32 [qa+320], {o40, o41}; @g1 st.global.v2.f32 [qb+320], {o42, o43};
        setp.gt.and.s32 g0, %0, 88, r0; setp.gt.and.s32 g1, %0, 88, r1; mul.f32 o44, o44, z0; mul.f32 o45, o45, z0; mul.f32 o46, o46, z1; mul.f32 o47, o47, z1;
        @g0 st.global.v2.f32 [qa+352], {o44, o45}; @g1 st.global.v2.f32 [qb+352], {o46, o47}; setp.gt.and.s32 g0, %0, 96, r0; setp.gt.and.s32 g1, %0, 96, r1; mul.f32 o48, o48, z0;
        mul.f32 o49, o49, z0; mul.f32 o50, o50, z1; mul.f32 o51, o51, z1; @g0 st.global.v2.f32 [qa+384], {o48, o49}; @g1 st.global.v2.f32 [qb+384], {o50, o51};
        setp.gt.and.s32 g0, %0, 104, r0; setp.gt.and.s32 g1, %0, 104, r1; mul.f32 o52, o52, z0; mul.f32 o53, o53, z0; mul.f32 o54, o54, z1; mul.f32 o55, o55, z1;
        @g0 st.global.v2.f32 [qa+416], {o52, o53}; @g1 st.global.v2.f32 [qb+416], {o54, o55}; setp.gt.and.s32 g0, %0, 112, r0; setp.gt.and.s32 g1, %0, 112, r1; mul.f32 o56, o56, z0;
        mul.f32 o57, o57, z0; mul.f32 o58, o58, z1; mul.f32 o59, o59, z1; @g0 st.global.v2.f32 [qa+448], {o56, o57}; @g1 st.global.v2.f32 [qb+448], {o58, o59};
        setp.gt.and.s32 g0, %0, 120, r0; setp.gt.and.s32 g1, %0, 120, r1; mul.f32 o60, o60, z0; mul.f32 o61, o61, z0; mul.f32 o62, o62, z1; mul.f32 o63, o63, z1;
        @g0 st.global.v2.f32 [qa+480], {o60, o61}; @g1 st.global.v2.f32 [qb+480], {o62, o63};
        """;

    /// <summary>Stages of 16 keys and values of up to 256 dimensions, sums set to 0.</summary>
    public const string Declare256 = """
        .shared .align 1024 .b8 tile[49152]; .reg .f32 o<128>; .reg .b32 q<64>; .reg .f32 s<8>; .reg .b32 h<4>; .reg .b32 f<8>; .reg .f32 x<8>; .reg .f32 m<2>; .reg .f32 l<2>;
        .reg .f32 z<2>; .reg .f32 c<2>; .reg .b32 ka; .reg .b32 va; .reg .b32 at; .reg .b64 qa; .reg .b64 qb; .reg .f32 ninf; .reg .pred r<2>; .reg .pred g<4>;
        mov.f32 ninf, 0fFF800000; mov.f32 m0, ninf; mov.f32 m1, ninf; mov.f32 l0, 0f00000000; mov.f32 l1, 0f00000000; mov.f32 o0, 0f00000000; mov.f32 o1, 0f00000000;
        mov.f32 o2, 0f00000000; mov.f32 o3, 0f00000000; mov.f32 o4, 0f00000000; mov.f32 o5, 0f00000000; mov.f32 o6, 0f00000000; mov.f32 o7, 0f00000000; mov.f32 o8, 0f00000000;
        mov.f32 o9, 0f00000000; mov.f32 o10, 0f00000000; mov.f32 o11, 0f00000000; mov.f32 o12, 0f00000000; mov.f32 o13, 0f00000000; mov.f32 o14, 0f00000000; mov.f32 o15, 0f00000000;
        mov.f32 o16, 0f00000000; mov.f32 o17, 0f00000000; mov.f32 o18, 0f00000000; mov.f32 o19, 0f00000000; mov.f32 o20, 0f00000000; mov.f32 o21, 0f00000000; mov.f32 o22, 0f00000000;
        mov.f32 o23, 0f00000000; mov.f32 o24, 0f00000000; mov.f32 o25, 0f00000000; mov.f32 o26, 0f00000000; mov.f32 o27, 0f00000000; mov.f32 o28, 0f00000000; mov.f32 o29, 0f00000000;
        mov.f32 o30, 0f00000000; mov.f32 o31, 0f00000000; mov.f32 o32, 0f00000000; mov.f32 o33, 0f00000000; mov.f32 o34, 0f00000000; mov.f32 o35, 0f00000000; mov.f32 o36, 0f00000000;
        mov.f32 o37, 0f00000000; mov.f32 o38, 0f00000000; mov.f32 o39, 0f00000000; mov.f32 o40, 0f00000000; mov.f32 o41, 0f00000000; mov.f32 o42, 0f00000000; mov.f32 o43, 0f00000000;
        mov.f32 o44, 0f00000000; mov.f32 o45, 0f00000000; mov.f32 o46, 0f00000000; mov.f32 o47, 0f00000000; mov.f32 o48, 0f00000000; mov.f32 o49, 0f00000000; mov.f32 o50, 0f00000000;
        mov.f32 o51, 0f00000000; mov.f32 o52, 0f00000000; mov.f32 o53, 0f00000000; mov.f32 o54, 0f00000000; mov.f32 o55, 0f00000000; mov.f32 o56, 0f00000000; mov.f32 o57, 0f00000000;
        mov.f32 o58, 0f00000000; mov.f32 o59, 0f00000000; mov.f32 o60, 0f00000000; mov.f32 o61, 0f00000000; mov.f32 o62, 0f00000000; mov.f32 o63, 0f00000000; mov.f32 o64, 0f00000000;
        mov.f32 o65, 0f00000000; mov.f32 o66, 0f00000000; mov.f32 o67, 0f00000000; mov.f32 o68, 0f00000000; mov.f32 o69, 0f00000000; mov.f32 o70, 0f00000000; mov.f32 o71, 0f00000000;
        mov.f32 o72, 0f00000000; mov.f32 o73, 0f00000000; mov.f32 o74, 0f00000000; mov.f32 o75, 0f00000000; mov.f32 o76, 0f00000000; mov.f32 o77, 0f00000000; mov.f32 o78, 0f00000000;
        mov.f32 o79, 0f00000000; mov.f32 o80, 0f00000000; mov.f32 o81, 0f00000000; mov.f32 o82, 0f00000000; mov.f32 o83, 0f00000000; mov.f32 o84, 0f00000000; mov.f32 o85, 0f00000000;
        mov.f32 o86, 0f00000000; mov.f32 o87, 0f00000000; mov.f32 o88, 0f00000000; mov.f32 o89, 0f00000000; mov.f32 o90, 0f00000000; mov.f32 o91, 0f00000000; mov.f32 o92, 0f00000000;
        mov.f32 o93, 0f00000000; mov.f32 o94, 0f00000000; mov.f32 o95, 0f00000000; mov.f32 o96, 0f00000000; mov.f32 o97, 0f00000000; mov.f32 o98, 0f00000000; mov.f32 o99, 0f00000000;
        mov.f32 o100, 0f00000000; mov.f32 o101, 0f00000000; mov.f32 o102, 0f00000000; mov.f32 o103, 0f00000000; mov.f32 o104, 0f00000000; mov.f32 o105, 0f00000000;
        mov.f32 o106, 0f00000000; mov.f32 o107, 0f00000000; mov.f32 o108, 0f00000000; mov.f32 o109, 0f00000000; mov.f32 o110, 0f00000000; mov.f32 o111, 0f00000000;
        mov.f32 o112, 0f00000000; mov.f32 o113, 0f00000000; mov.f32 o114, 0f00000000; mov.f32 o115, 0f00000000; mov.f32 o116, 0f00000000; mov.f32 o117, 0f00000000;
        mov.f32 o118, 0f00000000; mov.f32 o119, 0f00000000; mov.f32 o120, 0f00000000; mov.f32 o121, 0f00000000; mov.f32 o122, 0f00000000; mov.f32 o123, 0f00000000;
        mov.f32 o124, 0f00000000; mov.f32 o125, 0f00000000; mov.f32 o126, 0f00000000; mov.f32 o127, 0f00000000;
        """;

    /// <summary>Fragments of the scaled queries: rows at qa and qb (if r0, r1), %0 = head_dim, %1 = scale.</summary>
    public const string Query256 = """
        setp.gt.and.s32 g0, %0, 0, r0; setp.gt.and.s32 g1, %0, 0, r1; setp.gt.and.s32 g2, %0, 8, r0; setp.gt.and.s32 g3, %0, 8, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000;
        mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000;
        @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+0]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+0]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+32]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+32];
        mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q0, x1, x0;
        cvt.rn.f16x2.f32 q1, x3, x2; cvt.rn.f16x2.f32 q2, x5, x4; cvt.rn.f16x2.f32 q3, x7, x6; setp.gt.and.s32 g0, %0, 16, r0; setp.gt.and.s32 g1, %0, 16, r1;
        setp.gt.and.s32 g2, %0, 24, r0; setp.gt.and.s32 g3, %0, 24, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+64];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+64]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+96]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+96]; mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000;
        min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1; max.f32 x2, x2, 0fC77FE000;
        min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1; max.f32 x4, x4, 0fC77FE000;
        min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1; max.f32 x6, x6, 0fC77FE000;
        min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q4, x1, x0; cvt.rn.f16x2.f32 q5, x3, x2;
        cvt.rn.f16x2.f32 q6, x5, x4; cvt.rn.f16x2.f32 q7, x7, x6; setp.gt.and.s32 g0, %0, 32, r0; setp.gt.and.s32 g1, %0, 32, r1; setp.gt.and.s32 g2, %0, 40, r0;
        setp.gt.and.s32 g3, %0, 40, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000;
        mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+128]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+128];
        @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+160]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+160]; mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000;
        mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1; max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1;
        max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1; max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1;
        max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1; max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1;
        max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q8, x1, x0; cvt.rn.f16x2.f32 q9, x3, x2; cvt.rn.f16x2.f32 q10, x5, x4; cvt.rn.f16x2.f32 q11, x7, x6;
        setp.gt.and.s32 g0, %0, 48, r0; setp.gt.and.s32 g1, %0, 48, r1; setp.gt.and.s32 g2, %0, 56, r0; setp.gt.and.s32 g3, %0, 56, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000;
        mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000; mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000;
        @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+192]; @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+192]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+224]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+224];
        mul.f32 x0, x0, %1; max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q12, x1, x0;
        cvt.rn.f16x2.f32 q13, x3, x2; cvt.rn.f16x2.f32 q14, x5, x4; cvt.rn.f16x2.f32 q15, x7, x6; setp.gt.and.s32 g0, %0, 64, r0; setp.gt.and.s32 g1, %0, 64, r1;
        setp.gt.and.s32 g2, %0, 72, r0; setp.gt.and.s32 g3, %0, 72, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+256];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+256]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+288]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+288]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q16, x1, x0;
        cvt.rn.f16x2.f32 q17, x3, x2; cvt.rn.f16x2.f32 q18, x5, x4; cvt.rn.f16x2.f32 q19, x7, x6; setp.gt.and.s32 g0, %0, 80, r0; setp.gt.and.s32 g1, %0, 80, r1;
        setp.gt.and.s32 g2, %0, 88, r0; setp.gt.and.s32 g3, %0, 88, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+320];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+320]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+352]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+352]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q20, x1, x0;
        cvt.rn.f16x2.f32 q21, x3, x2; cvt.rn.f16x2.f32 q22, x5, x4; cvt.rn.f16x2.f32 q23, x7, x6; setp.gt.and.s32 g0, %0, 96, r0; setp.gt.and.s32 g1, %0, 96, r1;
        setp.gt.and.s32 g2, %0, 104, r0; setp.gt.and.s32 g3, %0, 104, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+384];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+384]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+416]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+416]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q24, x1, x0;
        cvt.rn.f16x2.f32 q25, x3, x2; cvt.rn.f16x2.f32 q26, x5, x4; cvt.rn.f16x2.f32 q27, x7, x6; setp.gt.and.s32 g0, %0, 112, r0; setp.gt.and.s32 g1, %0, 112, r1;
        setp.gt.and.s32 g2, %0, 120, r0; setp.gt.and.s32 g3, %0, 120, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+448];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+448]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+480]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+480]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q28, x1, x0;
        cvt.rn.f16x2.f32 q29, x3, x2; cvt.rn.f16x2.f32 q30, x5, x4; cvt.rn.f16x2.f32 q31, x7, x6; setp.gt.and.s32 g0, %0, 128, r0; setp.gt.and.s32 g1, %0, 128, r1;
        setp.gt.and.s32 g2, %0, 136, r0; setp.gt.and.s32 g3, %0, 136, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+512];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+512]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+544]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+544]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q32, x1, x0;
        cvt.rn.f16x2.f32 q33, x3, x2; cvt.rn.f16x2.f32 q34, x5, x4; cvt.rn.f16x2.f32 q35, x7, x6; setp.gt.and.s32 g0, %0, 144, r0; setp.gt.and.s32 g1, %0, 144, r1;
        setp.gt.and.s32 g2, %0, 152, r0; setp.gt.and.s32 g3, %0, 152, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+576];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+576]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+608]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+608]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q36, x1, x0;
        cvt.rn.f16x2.f32 q37, x3, x2; cvt.rn.f16x2.f32 q38, x5, x4; cvt.rn.f16x2.f32 q39, x7, x6; setp.gt.and.s32 g0, %0, 160, r0; setp.gt.and.s32 g1, %0, 160, r1;
        setp.gt.and.s32 g2, %0, 168, r0; setp.gt.and.s32 g3, %0, 168, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+640];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+640]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+672]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+672]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q40, x1, x0;
        cvt.rn.f16x2.f32 q41, x3, x2; cvt.rn.f16x2.f32 q42, x5, x4; cvt.rn.f16x2.f32 q43, x7, x6; setp.gt.and.s32 g0, %0, 176, r0; setp.gt.and.s32 g1, %0, 176, r1;
        setp.gt.and.s32 g2, %0, 184, r0; setp.gt.and.s32 g3, %0, 184, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+704];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+704]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+736]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+736]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q44, x1, x0;
        cvt.rn.f16x2.f32 q45, x3, x2; cvt.rn.f16x2.f32 q46, x5, x4; cvt.rn.f16x2.f32 q47, x7, x6; setp.gt.and.s32 g0, %0, 192, r0; setp.gt.and.s32 g1, %0, 192, r1;
        setp.gt.and.s32 g2, %0, 200, r0; setp.gt.and.s32 g3, %0, 200, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+768];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+768]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+800]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+800]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q48, x1, x0;
        cvt.rn.f16x2.f32 q49, x3, x2; cvt.rn.f16x2.f32 q50, x5, x4; cvt.rn.f16x2.f32 q51, x7, x6; setp.gt.and.s32 g0, %0, 208, r0; setp.gt.and.s32 g1, %0, 208, r1;
        setp.gt.and.s32 g2, %0, 216, r0; setp.gt.and.s32 g3, %0, 216, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+832];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+832]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+864]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+864]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q52, x1, x0;
        cvt.rn.f16x2.f32 q53, x3, x2; cvt.rn.f16x2.f32 q54, x5, x4; cvt.rn.f16x2.f32 q55, x7, x6; setp.gt.and.s32 g0, %0, 224, r0; setp.gt.and.s32 g1, %0, 224, r1;
        setp.gt.and.s32 g2, %0, 232, r0; setp.gt.and.s32 g3, %0, 232, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+896];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+896]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+928]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+928]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q56, x1, x0;
        cvt.rn.f16x2.f32 q57, x3, x2; cvt.rn.f16x2.f32 q58, x5, x4; cvt.rn.f16x2.f32 q59, x7, x6; setp.gt.and.s32 g0, %0, 240, r0; setp.gt.and.s32 g1, %0, 240, r1;
        setp.gt.and.s32 g2, %0, 248, r0; setp.gt.and.s32 g3, %0, 248, r1; mov.f32 x0, 0f00000000; mov.f32 x1, 0f00000000; mov.f32 x2, 0f00000000; mov.f32 x3, 0f00000000;
        mov.f32 x4, 0f00000000; mov.f32 x5, 0f00000000; mov.f32 x6, 0f00000000; mov.f32 x7, 0f00000000; @g0 ld.global.nc.v2.f32 {x0, x1}, [qa+960];
        @g1 ld.global.nc.v2.f32 {x2, x3}, [qb+960]; @g2 ld.global.nc.v2.f32 {x4, x5}, [qa+992]; @g3 ld.global.nc.v2.f32 {x6, x7}, [qb+992]; mul.f32 x0, x0, %1;
        max.f32 x0, x0, 0fC77FE000; min.f32 x0, x0, 0f477FE000; mul.f32 x1, x1, %1; max.f32 x1, x1, 0fC77FE000; min.f32 x1, x1, 0f477FE000; mul.f32 x2, x2, %1;
        max.f32 x2, x2, 0fC77FE000; min.f32 x2, x2, 0f477FE000; mul.f32 x3, x3, %1; max.f32 x3, x3, 0fC77FE000; min.f32 x3, x3, 0f477FE000; mul.f32 x4, x4, %1;
        max.f32 x4, x4, 0fC77FE000; min.f32 x4, x4, 0f477FE000; mul.f32 x5, x5, %1; max.f32 x5, x5, 0fC77FE000; min.f32 x5, x5, 0f477FE000; mul.f32 x6, x6, %1;
        max.f32 x6, x6, 0fC77FE000; min.f32 x6, x6, 0f477FE000; mul.f32 x7, x7, %1; max.f32 x7, x7, 0fC77FE000; min.f32 x7, x7, 0f477FE000; cvt.rn.f16x2.f32 q60, x1, x0;
        cvt.rn.f16x2.f32 q61, x3, x2; cvt.rn.f16x2.f32 q62, x5, x4; cvt.rn.f16x2.f32 q63, x7, x6;
        """;

    /// <summary>s = q·k of 16 keys at ka.</summary>
    public const string Scores256 = """
        mov.f32 s0, 0f00000000; mov.f32 s1, 0f00000000; mov.f32 s2, 0f00000000; mov.f32 s3, 0f00000000; mov.f32 s4, 0f00000000; mov.f32 s5, 0f00000000; mov.f32 s6, 0f00000000;
        mov.f32 s7, 0f00000000; mov.b32 at, ka; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q0, q1, q2, q3}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q0, q1, q2, q3}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 32;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q4, q5, q6, q7}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q4, q5, q6, q7}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 64;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q8, q9, q10, q11}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q8, q9, q10, q11}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 96;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q12, q13, q14, q15}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q12, q13, q14, q15}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 128;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q16, q17, q18, q19}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q16, q17, q18, q19}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 160;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q20, q21, q22, q23}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q20, q21, q22, q23}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 192;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q24, q25, q26, q27}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q24, q25, q26, q27}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 224;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q28, q29, q30, q31}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q28, q29, q30, q31}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 256;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q32, q33, q34, q35}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q32, q33, q34, q35}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 288;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q36, q37, q38, q39}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q36, q37, q38, q39}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 320;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q40, q41, q42, q43}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q40, q41, q42, q43}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 352;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q44, q45, q46, q47}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q44, q45, q46, q47}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 384;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q48, q49, q50, q51}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q48, q49, q50, q51}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 416;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q52, q53, q54, q55}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q52, q53, q54, q55}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 448;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q56, q57, q58, q59}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q56, q57, q58, q59}, {f2, f3}, {s4, s5, s6, s7}; xor.b32 at, ka, 480;
        ldmatrix.sync.aligned.m8n8.x4.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s0, s1, s2, s3}, {q60, q61, q62, q63}, {f0, f1}, {s0, s1, s2, s3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {s4, s5, s6, s7}, {q60, q61, q62, q63}, {f2, f3}, {s4, s5, s6, s7};
        """;

    /// <summary>s to exp2(s − maximum) in h; sums are rescaled only where a row's maximum has grown.</summary>
    public const string Softmax256 = """
        max.f32 z0, s0, s1; max.f32 z1, s2, s3; max.f32 z0, z0, s4; max.f32 z0, z0, s5; max.f32 z1, z1, s6; max.f32 z1, z1, s7; shfl.sync.bfly.b32 x0, z0, 1, 31, 0xffffffff;
        shfl.sync.bfly.b32 x1, z1, 1, 31, 0xffffffff; max.f32 z0, z0, x0; max.f32 z1, z1, x1; shfl.sync.bfly.b32 x0, z0, 2, 31, 0xffffffff;
        shfl.sync.bfly.b32 x1, z1, 2, 31, 0xffffffff; max.f32 z0, z0, x0; max.f32 z1, z1, x1; max.f32 z0, z0, m0; max.f32 z1, z1, m1; setp.neu.f32 g0, z0, m0;
        setp.neu.or.f32 g0, z1, m1, g0; vote.sync.any.pred g1, g0, 0xffffffff; @!g1 bra kept; setp.eq.f32 g2, z0, ninf; setp.eq.f32 g3, z1, ninf; selp.f32 x0, 0f00000000, z0, g2;
        selp.f32 x1, 0f00000000, z1, g3; sub.f32 c0, m0, x0; sub.f32 c1, m1, x1; ex2.approx.ftz.f32 c0, c0; ex2.approx.ftz.f32 c1, c1; mov.f32 m0, z0; mov.f32 m1, z1;
        mul.f32 l0, l0, c0; mul.f32 l1, l1, c1; mul.f32 o0, o0, c0; mul.f32 o1, o1, c0; mul.f32 o2, o2, c1; mul.f32 o3, o3, c1; mul.f32 o4, o4, c0; mul.f32 o5, o5, c0;
        mul.f32 o6, o6, c1; mul.f32 o7, o7, c1; mul.f32 o8, o8, c0; mul.f32 o9, o9, c0; mul.f32 o10, o10, c1; mul.f32 o11, o11, c1; mul.f32 o12, o12, c0; mul.f32 o13, o13, c0;
        mul.f32 o14, o14, c1; mul.f32 o15, o15, c1; mul.f32 o16, o16, c0; mul.f32 o17, o17, c0; mul.f32 o18, o18, c1; mul.f32 o19, o19, c1; mul.f32 o20, o20, c0; mul.f32 o21, o21, c0;
        mul.f32 o22, o22, c1; mul.f32 o23, o23, c1; mul.f32 o24, o24, c0; mul.f32 o25, o25, c0; mul.f32 o26, o26, c1; mul.f32 o27, o27, c1; mul.f32 o28, o28, c0; mul.f32 o29, o29, c0;
        mul.f32 o30, o30, c1; mul.f32 o31, o31, c1; mul.f32 o32, o32, c0; mul.f32 o33, o33, c0; mul.f32 o34, o34, c1; mul.f32 o35, o35, c1; mul.f32 o36, o36, c0; mul.f32 o37, o37, c0;
        mul.f32 o38, o38, c1; mul.f32 o39, o39, c1; mul.f32 o40, o40, c0; mul.f32 o41, o41, c0; mul.f32 o42, o42, c1; mul.f32 o43, o43, c1; mul.f32 o44, o44, c0; mul.f32 o45, o45, c0;
        mul.f32 o46, o46, c1; mul.f32 o47, o47, c1; mul.f32 o48, o48, c0; mul.f32 o49, o49, c0; mul.f32 o50, o50, c1; mul.f32 o51, o51, c1; mul.f32 o52, o52, c0; mul.f32 o53, o53, c0;
        mul.f32 o54, o54, c1; mul.f32 o55, o55, c1; mul.f32 o56, o56, c0; mul.f32 o57, o57, c0; mul.f32 o58, o58, c1; mul.f32 o59, o59, c1; mul.f32 o60, o60, c0; mul.f32 o61, o61, c0;
        mul.f32 o62, o62, c1; mul.f32 o63, o63, c1; mul.f32 o64, o64, c0; mul.f32 o65, o65, c0; mul.f32 o66, o66, c1; mul.f32 o67, o67, c1; mul.f32 o68, o68, c0; mul.f32 o69, o69, c0;
        mul.f32 o70, o70, c1; mul.f32 o71, o71, c1; mul.f32 o72, o72, c0; mul.f32 o73, o73, c0; mul.f32 o74, o74, c1; mul.f32 o75, o75, c1; mul.f32 o76, o76, c0; mul.f32 o77, o77, c0;
        mul.f32 o78, o78, c1; mul.f32 o79, o79, c1; mul.f32 o80, o80, c0; mul.f32 o81, o81, c0; mul.f32 o82, o82, c1; mul.f32 o83, o83, c1; mul.f32 o84, o84, c0; mul.f32 o85, o85, c0;
        mul.f32 o86, o86, c1; mul.f32 o87, o87, c1; mul.f32 o88, o88, c0; mul.f32 o89, o89, c0; mul.f32 o90, o90, c1; mul.f32 o91, o91, c1; mul.f32 o92, o92, c0; mul.f32 o93, o93, c0;
        mul.f32 o94, o94, c1; mul.f32 o95, o95, c1; mul.f32 o96, o96, c0; mul.f32 o97, o97, c0; mul.f32 o98, o98, c1; mul.f32 o99, o99, c1; mul.f32 o100, o100, c0;
        mul.f32 o101, o101, c0; mul.f32 o102, o102, c1; mul.f32 o103, o103, c1; mul.f32 o104, o104, c0; mul.f32 o105, o105, c0; mul.f32 o106, o106, c1; mul.f32 o107, o107, c1;
        mul.f32 o108, o108, c0; mul.f32 o109, o109, c0; mul.f32 o110, o110, c1; mul.f32 o111, o111, c1; mul.f32 o112, o112, c0; mul.f32 o113, o113, c0; mul.f32 o114, o114, c1;
        mul.f32 o115, o115, c1; mul.f32 o116, o116, c0; mul.f32 o117, o117, c0; mul.f32 o118, o118, c1; mul.f32 o119, o119, c1; mul.f32 o120, o120, c0; mul.f32 o121, o121, c0;
        mul.f32 o122, o122, c1; mul.f32 o123, o123, c1; mul.f32 o124, o124, c0; mul.f32 o125, o125, c0; mul.f32 o126, o126, c1; mul.f32 o127, o127, c1;
        kept:
        setp.eq.f32 g2, m0, ninf; setp.eq.f32 g3, m1, ninf; selp.f32 z0, 0f00000000, m0, g2; selp.f32 z1, 0f00000000, m1, g3; sub.f32 s0, s0, z0; sub.f32 s1, s1, z0;
        sub.f32 s2, s2, z1; sub.f32 s3, s3, z1; ex2.approx.ftz.f32 s0, s0; ex2.approx.ftz.f32 s1, s1; ex2.approx.ftz.f32 s2, s2; ex2.approx.ftz.f32 s3, s3; cvt.rn.f16x2.f32 h0, s1, s0;
        cvt.rn.f16x2.f32 h1, s3, s2; sub.f32 s4, s4, z0; sub.f32 s5, s5, z0; sub.f32 s6, s6, z1; sub.f32 s7, s7, z1; ex2.approx.ftz.f32 s4, s4; ex2.approx.ftz.f32 s5, s5;
        ex2.approx.ftz.f32 s6, s6; ex2.approx.ftz.f32 s7, s7; cvt.rn.f16x2.f32 h2, s5, s4; cvt.rn.f16x2.f32 h3, s7, s6; add.f32 s0, s0, s1; add.f32 s4, s4, s5; add.f32 s0, s0, s4;
        add.f32 l0, l0, s0; add.f32 s2, s2, s3; add.f32 s6, s6, s7; add.f32 s2, s2, s6; add.f32 l1, l1, s2;
        """;

    /// <summary>o += h·v of 16 values at va.</summary>
    public const string Values256 = """
        mov.b32 at, va; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o0, o1, o2, o3}, {h0, h1, h2, h3}, {f0, f1}, {o0, o1, o2, o3};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o4, o5, o6, o7}, {h0, h1, h2, h3}, {f2, f3}, {o4, o5, o6, o7}; xor.b32 at, va, 32;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o8, o9, o10, o11}, {h0, h1, h2, h3}, {f4, f5}, {o8, o9, o10, o11};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o12, o13, o14, o15}, {h0, h1, h2, h3}, {f6, f7}, {o12, o13, o14, o15}; xor.b32 at, va, 64;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o16, o17, o18, o19}, {h0, h1, h2, h3}, {f0, f1}, {o16, o17, o18, o19};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o20, o21, o22, o23}, {h0, h1, h2, h3}, {f2, f3}, {o20, o21, o22, o23}; xor.b32 at, va, 96;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o24, o25, o26, o27}, {h0, h1, h2, h3}, {f4, f5}, {o24, o25, o26, o27};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o28, o29, o30, o31}, {h0, h1, h2, h3}, {f6, f7}, {o28, o29, o30, o31}; xor.b32 at, va, 128;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o32, o33, o34, o35}, {h0, h1, h2, h3}, {f0, f1}, {o32, o33, o34, o35};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o36, o37, o38, o39}, {h0, h1, h2, h3}, {f2, f3}, {o36, o37, o38, o39}; xor.b32 at, va, 160;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o40, o41, o42, o43}, {h0, h1, h2, h3}, {f4, f5}, {o40, o41, o42, o43};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o44, o45, o46, o47}, {h0, h1, h2, h3}, {f6, f7}, {o44, o45, o46, o47}; xor.b32 at, va, 192;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o48, o49, o50, o51}, {h0, h1, h2, h3}, {f0, f1}, {o48, o49, o50, o51};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o52, o53, o54, o55}, {h0, h1, h2, h3}, {f2, f3}, {o52, o53, o54, o55}; xor.b32 at, va, 224;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o56, o57, o58, o59}, {h0, h1, h2, h3}, {f4, f5}, {o56, o57, o58, o59};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o60, o61, o62, o63}, {h0, h1, h2, h3}, {f6, f7}, {o60, o61, o62, o63}; xor.b32 at, va, 256;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o64, o65, o66, o67}, {h0, h1, h2, h3}, {f0, f1}, {o64, o65, o66, o67};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o68, o69, o70, o71}, {h0, h1, h2, h3}, {f2, f3}, {o68, o69, o70, o71}; xor.b32 at, va, 288;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o72, o73, o74, o75}, {h0, h1, h2, h3}, {f4, f5}, {o72, o73, o74, o75};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o76, o77, o78, o79}, {h0, h1, h2, h3}, {f6, f7}, {o76, o77, o78, o79}; xor.b32 at, va, 320;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o80, o81, o82, o83}, {h0, h1, h2, h3}, {f0, f1}, {o80, o81, o82, o83};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o84, o85, o86, o87}, {h0, h1, h2, h3}, {f2, f3}, {o84, o85, o86, o87}; xor.b32 at, va, 352;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o88, o89, o90, o91}, {h0, h1, h2, h3}, {f4, f5}, {o88, o89, o90, o91};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o92, o93, o94, o95}, {h0, h1, h2, h3}, {f6, f7}, {o92, o93, o94, o95}; xor.b32 at, va, 384;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o96, o97, o98, o99}, {h0, h1, h2, h3}, {f0, f1}, {o96, o97, o98, o99};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o100, o101, o102, o103}, {h0, h1, h2, h3}, {f2, f3}, {o100, o101, o102, o103}; xor.b32 at, va, 416;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o104, o105, o106, o107}, {h0, h1, h2, h3}, {f4, f5}, {o104, o105, o106, o107};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o108, o109, o110, o111}, {h0, h1, h2, h3}, {f6, f7}, {o108, o109, o110, o111}; xor.b32 at, va, 448;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f0, f1, f2, f3}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o112, o113, o114, o115}, {h0, h1, h2, h3}, {f0, f1}, {o112, o113, o114, o115};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o116, o117, o118, o119}, {h0, h1, h2, h3}, {f2, f3}, {o116, o117, o118, o119}; xor.b32 at, va, 480;
        ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {f4, f5, f6, f7}, [at];
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o120, o121, o122, o123}, {h0, h1, h2, h3}, {f4, f5}, {o120, o121, o122, o123};
        mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {o124, o125, o126, o127}, {h0, h1, h2, h3}, {f6, f7}, {o124, o125, o126, o127};
        """;

    /// <summary>o·z to rows at qa and qb (if r0, r1), %0 = head_dim.</summary>
    public const string Write256 = """
        setp.gt.and.s32 g0, %0, 0, r0; setp.gt.and.s32 g1, %0, 0, r1; mul.f32 o0, o0, z0; mul.f32 o1, o1, z0; mul.f32 o2, o2, z1; mul.f32 o3, o3, z1;
        @g0 st.global.v2.f32 [qa+0], {o0, o1}; @g1 st.global.v2.f32 [qb+0], {o2, o3}; setp.gt.and.s32 g0, %0, 8, r0; setp.gt.and.s32 g1, %0, 8, r1; mul.f32 o4, o4, z0;
        mul.f32 o5, o5, z0; mul.f32 o6, o6, z1; mul.f32 o7, o7, z1; @g0 st.global.v2.f32 [qa+32], {o4, o5}; @g1 st.global.v2.f32 [qb+32], {o6, o7}; setp.gt.and.s32 g0, %0, 16, r0;
        setp.gt.and.s32 g1, %0, 16, r1; mul.f32 o8, o8, z0; mul.f32 o9, o9, z0; mul.f32 o10, o10, z1; mul.f32 o11, o11, z1; @g0 st.global.v2.f32 [qa+64], {o8, o9};
        @g1 st.global.v2.f32 [qb+64], {o10, o11}; setp.gt.and.s32 g0, %0, 24, r0; setp.gt.and.s32 g1, %0, 24, r1; mul.f32 o12, o12, z0; mul.f32 o13, o13, z0; mul.f32 o14, o14, z1;
        mul.f32 o15, o15, z1; @g0 st.global.v2.f32 [qa+96], {o12, o13}; @g1 st.global.v2.f32 [qb+96], {o14, o15}; setp.gt.and.s32 g0, %0, 32, r0; setp.gt.and.s32 g1, %0, 32, r1;
        mul.f32 o16, o16, z0; mul.f32 o17, o17, z0; mul.f32 o18, o18, z1; mul.f32 o19, o19, z1; @g0 st.global.v2.f32 [qa+128], {o16, o17}; @g1 st.global.v2.f32 [qb+128], {o18, o19};
        setp.gt.and.s32 g0, %0, 40, r0; setp.gt.and.s32 g1, %0, 40, r1; mul.f32 o20, o20, z0; mul.f32 o21, o21, z0; mul.f32 o22, o22, z1; mul.f32 o23, o23, z1;
        @g0 st.global.v2.f32 [qa+160], {o20, o21}; @g1 st.global.v2.f32 [qb+160], {o22, o23}; setp.gt.and.s32 g0, %0, 48, r0; setp.gt.and.s32 g1, %0, 48, r1; mul.f32 o24, o24, z0;
        mul.f32 o25, o25, z0; mul.f32 o26, o26, z1; mul.f32 o27, o27, z1; @g0 st.global.v2.f32 [qa+192], {o24, o25}; @g1 st.global.v2.f32 [qb+192], {o26, o27};
        setp.gt.and.s32 g0, %0, 56, r0; setp.gt.and.s32 g1, %0, 56, r1; mul.f32 o28, o28, z0; mul.f32 o29, o29, z0; mul.f32 o30, o30, z1; mul.f32 o31, o31, z1;
        @g0 st.global.v2.f32 [qa+224], {o28, o29}; @g1 st.global.v2.f32 [qb+224], {o30, o31}; setp.gt.and.s32 g0, %0, 64, r0; setp.gt.and.s32 g1, %0, 64, r1; mul.f32 o32, o32, z0;
        mul.f32 o33, o33, z0; mul.f32 o34, o34, z1; mul.f32 o35, o35, z1; @g0 st.global.v2.f32 [qa+256], {o32, o33}; @g1 st.global.v2.f32 [qb+256], {o34, o35};
        setp.gt.and.s32 g0, %0, 72, r0; setp.gt.and.s32 g1, %0, 72, r1; mul.f32 o36, o36, z0; mul.f32 o37, o37, z0; mul.f32 o38, o38, z1; mul.f32 o39, o39, z1;
        @g0 st.global.v2.f32 [qa+288], {o36, o37}; @g1 st.global.v2.f32 [qb+288], {o38, o39}; setp.gt.and.s32 g0, %0, 80, r0; setp.gt.and.s32 g1, %0, 80, r1; mul.f32 o40, o40, z0;
        mul.f32 o41, o41, z0; mul.f32 o42, o42, z1; mul.f32 o43, o43, z1; @g0 st.global.v2.f32 [qa+320], {o40, o41}; @g1 st.global.v2.f32 [qb+320], {o42, o43};
        setp.gt.and.s32 g0, %0, 88, r0; setp.gt.and.s32 g1, %0, 88, r1; mul.f32 o44, o44, z0; mul.f32 o45, o45, z0; mul.f32 o46, o46, z1; mul.f32 o47, o47, z1;
        @g0 st.global.v2.f32 [qa+352], {o44, o45}; @g1 st.global.v2.f32 [qb+352], {o46, o47}; setp.gt.and.s32 g0, %0, 96, r0; setp.gt.and.s32 g1, %0, 96, r1; mul.f32 o48, o48, z0;
        mul.f32 o49, o49, z0; mul.f32 o50, o50, z1; mul.f32 o51, o51, z1; @g0 st.global.v2.f32 [qa+384], {o48, o49}; @g1 st.global.v2.f32 [qb+384], {o50, o51};
        setp.gt.and.s32 g0, %0, 104, r0; setp.gt.and.s32 g1, %0, 104, r1; mul.f32 o52, o52, z0; mul.f32 o53, o53, z0; mul.f32 o54, o54, z1; mul.f32 o55, o55, z1;
        @g0 st.global.v2.f32 [qa+416], {o52, o53}; @g1 st.global.v2.f32 [qb+416], {o54, o55}; setp.gt.and.s32 g0, %0, 112, r0; setp.gt.and.s32 g1, %0, 112, r1; mul.f32 o56, o56, z0;
        mul.f32 o57, o57, z0; mul.f32 o58, o58, z1; mul.f32 o59, o59, z1; @g0 st.global.v2.f32 [qa+448], {o56, o57}; @g1 st.global.v2.f32 [qb+448], {o58, o59};
        setp.gt.and.s32 g0, %0, 120, r0; setp.gt.and.s32 g1, %0, 120, r1; mul.f32 o60, o60, z0; mul.f32 o61, o61, z0; mul.f32 o62, o62, z1; mul.f32 o63, o63, z1;
        @g0 st.global.v2.f32 [qa+480], {o60, o61}; @g1 st.global.v2.f32 [qb+480], {o62, o63}; setp.gt.and.s32 g0, %0, 128, r0; setp.gt.and.s32 g1, %0, 128, r1; mul.f32 o64, o64, z0;
        mul.f32 o65, o65, z0; mul.f32 o66, o66, z1; mul.f32 o67, o67, z1; @g0 st.global.v2.f32 [qa+512], {o64, o65}; @g1 st.global.v2.f32 [qb+512], {o66, o67};
        setp.gt.and.s32 g0, %0, 136, r0; setp.gt.and.s32 g1, %0, 136, r1; mul.f32 o68, o68, z0; mul.f32 o69, o69, z0; mul.f32 o70, o70, z1; mul.f32 o71, o71, z1;
        @g0 st.global.v2.f32 [qa+544], {o68, o69}; @g1 st.global.v2.f32 [qb+544], {o70, o71}; setp.gt.and.s32 g0, %0, 144, r0; setp.gt.and.s32 g1, %0, 144, r1; mul.f32 o72, o72, z0;
        mul.f32 o73, o73, z0; mul.f32 o74, o74, z1; mul.f32 o75, o75, z1; @g0 st.global.v2.f32 [qa+576], {o72, o73}; @g1 st.global.v2.f32 [qb+576], {o74, o75};
        setp.gt.and.s32 g0, %0, 152, r0; setp.gt.and.s32 g1, %0, 152, r1; mul.f32 o76, o76, z0; mul.f32 o77, o77, z0; mul.f32 o78, o78, z1; mul.f32 o79, o79, z1;
        @g0 st.global.v2.f32 [qa+608], {o76, o77}; @g1 st.global.v2.f32 [qb+608], {o78, o79}; setp.gt.and.s32 g0, %0, 160, r0; setp.gt.and.s32 g1, %0, 160, r1; mul.f32 o80, o80, z0;
        mul.f32 o81, o81, z0; mul.f32 o82, o82, z1; mul.f32 o83, o83, z1; @g0 st.global.v2.f32 [qa+640], {o80, o81}; @g1 st.global.v2.f32 [qb+640], {o82, o83};
        setp.gt.and.s32 g0, %0, 168, r0; setp.gt.and.s32 g1, %0, 168, r1; mul.f32 o84, o84, z0; mul.f32 o85, o85, z0; mul.f32 o86, o86, z1; mul.f32 o87, o87, z1;
        @g0 st.global.v2.f32 [qa+672], {o84, o85}; @g1 st.global.v2.f32 [qb+672], {o86, o87}; setp.gt.and.s32 g0, %0, 176, r0; setp.gt.and.s32 g1, %0, 176, r1; mul.f32 o88, o88, z0;
        mul.f32 o89, o89, z0; mul.f32 o90, o90, z1; mul.f32 o91, o91, z1; @g0 st.global.v2.f32 [qa+704], {o88, o89}; @g1 st.global.v2.f32 [qb+704], {o90, o91};
        setp.gt.and.s32 g0, %0, 184, r0; setp.gt.and.s32 g1, %0, 184, r1; mul.f32 o92, o92, z0; mul.f32 o93, o93, z0; mul.f32 o94, o94, z1; mul.f32 o95, o95, z1;
        @g0 st.global.v2.f32 [qa+736], {o92, o93}; @g1 st.global.v2.f32 [qb+736], {o94, o95}; setp.gt.and.s32 g0, %0, 192, r0; setp.gt.and.s32 g1, %0, 192, r1; mul.f32 o96, o96, z0;
        mul.f32 o97, o97, z0; mul.f32 o98, o98, z1; mul.f32 o99, o99, z1; @g0 st.global.v2.f32 [qa+768], {o96, o97}; @g1 st.global.v2.f32 [qb+768], {o98, o99};
        setp.gt.and.s32 g0, %0, 200, r0; setp.gt.and.s32 g1, %0, 200, r1; mul.f32 o100, o100, z0; mul.f32 o101, o101, z0; mul.f32 o102, o102, z1; mul.f32 o103, o103, z1;
        @g0 st.global.v2.f32 [qa+800], {o100, o101}; @g1 st.global.v2.f32 [qb+800], {o102, o103}; setp.gt.and.s32 g0, %0, 208, r0; setp.gt.and.s32 g1, %0, 208, r1;
        mul.f32 o104, o104, z0; mul.f32 o105, o105, z0; mul.f32 o106, o106, z1; mul.f32 o107, o107, z1; @g0 st.global.v2.f32 [qa+832], {o104, o105};
        @g1 st.global.v2.f32 [qb+832], {o106, o107}; setp.gt.and.s32 g0, %0, 216, r0; setp.gt.and.s32 g1, %0, 216, r1; mul.f32 o108, o108, z0; mul.f32 o109, o109, z0;
        mul.f32 o110, o110, z1; mul.f32 o111, o111, z1; @g0 st.global.v2.f32 [qa+864], {o108, o109}; @g1 st.global.v2.f32 [qb+864], {o110, o111}; setp.gt.and.s32 g0, %0, 224, r0;
        setp.gt.and.s32 g1, %0, 224, r1; mul.f32 o112, o112, z0; mul.f32 o113, o113, z0; mul.f32 o114, o114, z1; mul.f32 o115, o115, z1; @g0 st.global.v2.f32 [qa+896], {o112, o113};
        @g1 st.global.v2.f32 [qb+896], {o114, o115}; setp.gt.and.s32 g0, %0, 232, r0; setp.gt.and.s32 g1, %0, 232, r1; mul.f32 o116, o116, z0; mul.f32 o117, o117, z0;
        mul.f32 o118, o118, z1; mul.f32 o119, o119, z1; @g0 st.global.v2.f32 [qa+928], {o116, o117}; @g1 st.global.v2.f32 [qb+928], {o118, o119}; setp.gt.and.s32 g0, %0, 240, r0;
        setp.gt.and.s32 g1, %0, 240, r1; mul.f32 o120, o120, z0; mul.f32 o121, o121, z0; mul.f32 o122, o122, z1; mul.f32 o123, o123, z1; @g0 st.global.v2.f32 [qa+960], {o120, o121};
        @g1 st.global.v2.f32 [qb+960], {o122, o123}; setp.gt.and.s32 g0, %0, 248, r0; setp.gt.and.s32 g1, %0, 248, r1; mul.f32 o124, o124, z0; mul.f32 o125, o125, z0;
        mul.f32 o126, o126, z1; mul.f32 o127, o127, z1; @g0 st.global.v2.f32 [qa+992], {o124, o125}; @g1 st.global.v2.f32 [qb+992], {o126, o127};
        """;

    /// <summary>s to cap·tanh(s) for s in units of 1 / (2·log2 e): cap − 2·cap / (1 + exp2(s)); %0 = cap·log2 e, x0 = −2·%0.</summary>
    public const string Cap64 = """
        mul.f32 x0, %0, 0fC0000000; ex2.approx.ftz.f32 s0, s0; add.f32 s0, s0, 0f3F800000; rcp.approx.ftz.f32 s0, s0; fma.rn.f32 s0, s0, x0, %0; ex2.approx.ftz.f32 s1, s1;
        add.f32 s1, s1, 0f3F800000; rcp.approx.ftz.f32 s1, s1; fma.rn.f32 s1, s1, x0, %0; ex2.approx.ftz.f32 s2, s2; add.f32 s2, s2, 0f3F800000; rcp.approx.ftz.f32 s2, s2;
        fma.rn.f32 s2, s2, x0, %0; ex2.approx.ftz.f32 s3, s3; add.f32 s3, s3, 0f3F800000; rcp.approx.ftz.f32 s3, s3; fma.rn.f32 s3, s3, x0, %0; ex2.approx.ftz.f32 s4, s4;
        add.f32 s4, s4, 0f3F800000; rcp.approx.ftz.f32 s4, s4; fma.rn.f32 s4, s4, x0, %0; ex2.approx.ftz.f32 s5, s5; add.f32 s5, s5, 0f3F800000; rcp.approx.ftz.f32 s5, s5;
        fma.rn.f32 s5, s5, x0, %0; ex2.approx.ftz.f32 s6, s6; add.f32 s6, s6, 0f3F800000; rcp.approx.ftz.f32 s6, s6; fma.rn.f32 s6, s6, x0, %0; ex2.approx.ftz.f32 s7, s7;
        add.f32 s7, s7, 0f3F800000; rcp.approx.ftz.f32 s7, s7; fma.rn.f32 s7, s7, x0, %0; ex2.approx.ftz.f32 s8, s8; add.f32 s8, s8, 0f3F800000; rcp.approx.ftz.f32 s8, s8;
        fma.rn.f32 s8, s8, x0, %0; ex2.approx.ftz.f32 s9, s9; add.f32 s9, s9, 0f3F800000; rcp.approx.ftz.f32 s9, s9; fma.rn.f32 s9, s9, x0, %0; ex2.approx.ftz.f32 s10, s10;
        add.f32 s10, s10, 0f3F800000; rcp.approx.ftz.f32 s10, s10; fma.rn.f32 s10, s10, x0, %0; ex2.approx.ftz.f32 s11, s11; add.f32 s11, s11, 0f3F800000; rcp.approx.ftz.f32 s11, s11;
        fma.rn.f32 s11, s11, x0, %0; ex2.approx.ftz.f32 s12, s12; add.f32 s12, s12, 0f3F800000; rcp.approx.ftz.f32 s12, s12; fma.rn.f32 s12, s12, x0, %0; ex2.approx.ftz.f32 s13, s13;
        add.f32 s13, s13, 0f3F800000; rcp.approx.ftz.f32 s13, s13; fma.rn.f32 s13, s13, x0, %0; ex2.approx.ftz.f32 s14, s14; add.f32 s14, s14, 0f3F800000; rcp.approx.ftz.f32 s14, s14;
        fma.rn.f32 s14, s14, x0, %0; ex2.approx.ftz.f32 s15, s15; add.f32 s15, s15, 0f3F800000; rcp.approx.ftz.f32 s15, s15; fma.rn.f32 s15, s15, x0, %0; ex2.approx.ftz.f32 s16, s16;
        add.f32 s16, s16, 0f3F800000; rcp.approx.ftz.f32 s16, s16; fma.rn.f32 s16, s16, x0, %0; ex2.approx.ftz.f32 s17, s17; add.f32 s17, s17, 0f3F800000; rcp.approx.ftz.f32 s17, s17;
        fma.rn.f32 s17, s17, x0, %0; ex2.approx.ftz.f32 s18, s18; add.f32 s18, s18, 0f3F800000; rcp.approx.ftz.f32 s18, s18; fma.rn.f32 s18, s18, x0, %0; ex2.approx.ftz.f32 s19, s19;
        add.f32 s19, s19, 0f3F800000; rcp.approx.ftz.f32 s19, s19; fma.rn.f32 s19, s19, x0, %0; ex2.approx.ftz.f32 s20, s20; add.f32 s20, s20, 0f3F800000; rcp.approx.ftz.f32 s20, s20;
        fma.rn.f32 s20, s20, x0, %0; ex2.approx.ftz.f32 s21, s21; add.f32 s21, s21, 0f3F800000; rcp.approx.ftz.f32 s21, s21; fma.rn.f32 s21, s21, x0, %0; ex2.approx.ftz.f32 s22, s22;
        add.f32 s22, s22, 0f3F800000; rcp.approx.ftz.f32 s22, s22; fma.rn.f32 s22, s22, x0, %0; ex2.approx.ftz.f32 s23, s23; add.f32 s23, s23, 0f3F800000; rcp.approx.ftz.f32 s23, s23;
        fma.rn.f32 s23, s23, x0, %0; ex2.approx.ftz.f32 s24, s24; add.f32 s24, s24, 0f3F800000; rcp.approx.ftz.f32 s24, s24; fma.rn.f32 s24, s24, x0, %0; ex2.approx.ftz.f32 s25, s25;
        add.f32 s25, s25, 0f3F800000; rcp.approx.ftz.f32 s25, s25; fma.rn.f32 s25, s25, x0, %0; ex2.approx.ftz.f32 s26, s26; add.f32 s26, s26, 0f3F800000; rcp.approx.ftz.f32 s26, s26;
        fma.rn.f32 s26, s26, x0, %0; ex2.approx.ftz.f32 s27, s27; add.f32 s27, s27, 0f3F800000; rcp.approx.ftz.f32 s27, s27; fma.rn.f32 s27, s27, x0, %0; ex2.approx.ftz.f32 s28, s28;
        add.f32 s28, s28, 0f3F800000; rcp.approx.ftz.f32 s28, s28; fma.rn.f32 s28, s28, x0, %0; ex2.approx.ftz.f32 s29, s29; add.f32 s29, s29, 0f3F800000; rcp.approx.ftz.f32 s29, s29;
        fma.rn.f32 s29, s29, x0, %0; ex2.approx.ftz.f32 s30, s30; add.f32 s30, s30, 0f3F800000; rcp.approx.ftz.f32 s30, s30; fma.rn.f32 s30, s30, x0, %0; ex2.approx.ftz.f32 s31, s31;
        add.f32 s31, s31, 0f3F800000; rcp.approx.ftz.f32 s31, s31; fma.rn.f32 s31, s31, x0, %0;
        """;

    /// <summary>−∞ where the key comes after the query: %0 = query − first key of the lane, for row lane / 4.</summary>
    public const string Ahead64 = """
        setp.lt.s32 g0, %0, 0; @g0 mov.f32 s0, ninf; setp.lt.s32 g0, %0, 1; @g0 mov.f32 s1, ninf; setp.lt.s32 g0, %0, -8; @g0 mov.f32 s2, ninf; setp.lt.s32 g0, %0, -7;
        @g0 mov.f32 s3, ninf; setp.lt.s32 g0, %0, 8; @g0 mov.f32 s4, ninf; setp.lt.s32 g0, %0, 9; @g0 mov.f32 s5, ninf; setp.lt.s32 g0, %0, 0; @g0 mov.f32 s6, ninf;
        setp.lt.s32 g0, %0, 1; @g0 mov.f32 s7, ninf; setp.lt.s32 g0, %0, 16; @g0 mov.f32 s8, ninf; setp.lt.s32 g0, %0, 17; @g0 mov.f32 s9, ninf; setp.lt.s32 g0, %0, 8;
        @g0 mov.f32 s10, ninf; setp.lt.s32 g0, %0, 9; @g0 mov.f32 s11, ninf; setp.lt.s32 g0, %0, 24; @g0 mov.f32 s12, ninf; setp.lt.s32 g0, %0, 25; @g0 mov.f32 s13, ninf;
        setp.lt.s32 g0, %0, 16; @g0 mov.f32 s14, ninf; setp.lt.s32 g0, %0, 17; @g0 mov.f32 s15, ninf; setp.lt.s32 g0, %0, 32; @g0 mov.f32 s16, ninf; setp.lt.s32 g0, %0, 33;
        @g0 mov.f32 s17, ninf; setp.lt.s32 g0, %0, 24; @g0 mov.f32 s18, ninf; setp.lt.s32 g0, %0, 25; @g0 mov.f32 s19, ninf; setp.lt.s32 g0, %0, 40; @g0 mov.f32 s20, ninf;
        setp.lt.s32 g0, %0, 41; @g0 mov.f32 s21, ninf; setp.lt.s32 g0, %0, 32; @g0 mov.f32 s22, ninf; setp.lt.s32 g0, %0, 33; @g0 mov.f32 s23, ninf; setp.lt.s32 g0, %0, 48;
        @g0 mov.f32 s24, ninf; setp.lt.s32 g0, %0, 49; @g0 mov.f32 s25, ninf; setp.lt.s32 g0, %0, 40; @g0 mov.f32 s26, ninf; setp.lt.s32 g0, %0, 41; @g0 mov.f32 s27, ninf;
        setp.lt.s32 g0, %0, 56; @g0 mov.f32 s28, ninf; setp.lt.s32 g0, %0, 57; @g0 mov.f32 s29, ninf; setp.lt.s32 g0, %0, 48; @g0 mov.f32 s30, ninf; setp.lt.s32 g0, %0, 49;
        @g0 mov.f32 s31, ninf;
        """;

    /// <summary>−∞ where the window has left the key behind: %0 = query − window − first key of the lane.</summary>
    public const string Behind64 = """
        setp.ge.s32 g0, %0, 0; @g0 mov.f32 s0, ninf; setp.ge.s32 g0, %0, 1; @g0 mov.f32 s1, ninf; setp.ge.s32 g0, %0, -8; @g0 mov.f32 s2, ninf; setp.ge.s32 g0, %0, -7;
        @g0 mov.f32 s3, ninf; setp.ge.s32 g0, %0, 8; @g0 mov.f32 s4, ninf; setp.ge.s32 g0, %0, 9; @g0 mov.f32 s5, ninf; setp.ge.s32 g0, %0, 0; @g0 mov.f32 s6, ninf;
        setp.ge.s32 g0, %0, 1; @g0 mov.f32 s7, ninf; setp.ge.s32 g0, %0, 16; @g0 mov.f32 s8, ninf; setp.ge.s32 g0, %0, 17; @g0 mov.f32 s9, ninf; setp.ge.s32 g0, %0, 8;
        @g0 mov.f32 s10, ninf; setp.ge.s32 g0, %0, 9; @g0 mov.f32 s11, ninf; setp.ge.s32 g0, %0, 24; @g0 mov.f32 s12, ninf; setp.ge.s32 g0, %0, 25; @g0 mov.f32 s13, ninf;
        setp.ge.s32 g0, %0, 16; @g0 mov.f32 s14, ninf; setp.ge.s32 g0, %0, 17; @g0 mov.f32 s15, ninf; setp.ge.s32 g0, %0, 32; @g0 mov.f32 s16, ninf; setp.ge.s32 g0, %0, 33;
        @g0 mov.f32 s17, ninf; setp.ge.s32 g0, %0, 24; @g0 mov.f32 s18, ninf; setp.ge.s32 g0, %0, 25; @g0 mov.f32 s19, ninf; setp.ge.s32 g0, %0, 40; @g0 mov.f32 s20, ninf;
        setp.ge.s32 g0, %0, 41; @g0 mov.f32 s21, ninf; setp.ge.s32 g0, %0, 32; @g0 mov.f32 s22, ninf; setp.ge.s32 g0, %0, 33; @g0 mov.f32 s23, ninf; setp.ge.s32 g0, %0, 48;
        @g0 mov.f32 s24, ninf; setp.ge.s32 g0, %0, 49; @g0 mov.f32 s25, ninf; setp.ge.s32 g0, %0, 40; @g0 mov.f32 s26, ninf; setp.ge.s32 g0, %0, 41; @g0 mov.f32 s27, ninf;
        setp.ge.s32 g0, %0, 56; @g0 mov.f32 s28, ninf; setp.ge.s32 g0, %0, 57; @g0 mov.f32 s29, ninf; setp.ge.s32 g0, %0, 48; @g0 mov.f32 s30, ninf; setp.ge.s32 g0, %0, 49;
        @g0 mov.f32 s31, ninf;
        """;

    /// <summary>s to cap·tanh(s) for s in units of 1 / (2·log2 e): cap − 2·cap / (1 + exp2(s)); %0 = cap·log2 e, x0 = −2·%0.</summary>
    public const string Cap32 = """
        mul.f32 x0, %0, 0fC0000000; ex2.approx.ftz.f32 s0, s0; add.f32 s0, s0, 0f3F800000; rcp.approx.ftz.f32 s0, s0; fma.rn.f32 s0, s0, x0, %0; ex2.approx.ftz.f32 s1, s1;
        add.f32 s1, s1, 0f3F800000; rcp.approx.ftz.f32 s1, s1; fma.rn.f32 s1, s1, x0, %0; ex2.approx.ftz.f32 s2, s2; add.f32 s2, s2, 0f3F800000; rcp.approx.ftz.f32 s2, s2;
        fma.rn.f32 s2, s2, x0, %0; ex2.approx.ftz.f32 s3, s3; add.f32 s3, s3, 0f3F800000; rcp.approx.ftz.f32 s3, s3; fma.rn.f32 s3, s3, x0, %0; ex2.approx.ftz.f32 s4, s4;
        add.f32 s4, s4, 0f3F800000; rcp.approx.ftz.f32 s4, s4; fma.rn.f32 s4, s4, x0, %0; ex2.approx.ftz.f32 s5, s5; add.f32 s5, s5, 0f3F800000; rcp.approx.ftz.f32 s5, s5;
        fma.rn.f32 s5, s5, x0, %0; ex2.approx.ftz.f32 s6, s6; add.f32 s6, s6, 0f3F800000; rcp.approx.ftz.f32 s6, s6; fma.rn.f32 s6, s6, x0, %0; ex2.approx.ftz.f32 s7, s7;
        add.f32 s7, s7, 0f3F800000; rcp.approx.ftz.f32 s7, s7; fma.rn.f32 s7, s7, x0, %0; ex2.approx.ftz.f32 s8, s8; add.f32 s8, s8, 0f3F800000; rcp.approx.ftz.f32 s8, s8;
        fma.rn.f32 s8, s8, x0, %0; ex2.approx.ftz.f32 s9, s9; add.f32 s9, s9, 0f3F800000; rcp.approx.ftz.f32 s9, s9; fma.rn.f32 s9, s9, x0, %0; ex2.approx.ftz.f32 s10, s10;
        add.f32 s10, s10, 0f3F800000; rcp.approx.ftz.f32 s10, s10; fma.rn.f32 s10, s10, x0, %0; ex2.approx.ftz.f32 s11, s11; add.f32 s11, s11, 0f3F800000; rcp.approx.ftz.f32 s11, s11;
        fma.rn.f32 s11, s11, x0, %0; ex2.approx.ftz.f32 s12, s12; add.f32 s12, s12, 0f3F800000; rcp.approx.ftz.f32 s12, s12; fma.rn.f32 s12, s12, x0, %0; ex2.approx.ftz.f32 s13, s13;
        add.f32 s13, s13, 0f3F800000; rcp.approx.ftz.f32 s13, s13; fma.rn.f32 s13, s13, x0, %0; ex2.approx.ftz.f32 s14, s14; add.f32 s14, s14, 0f3F800000; rcp.approx.ftz.f32 s14, s14;
        fma.rn.f32 s14, s14, x0, %0; ex2.approx.ftz.f32 s15, s15; add.f32 s15, s15, 0f3F800000; rcp.approx.ftz.f32 s15, s15; fma.rn.f32 s15, s15, x0, %0;
        """;

    /// <summary>−∞ where the key comes after the query: %0 = query − first key of the lane, for row lane / 4.</summary>
    public const string Ahead32 = """
        setp.lt.s32 g0, %0, 0; @g0 mov.f32 s0, ninf; setp.lt.s32 g0, %0, 1; @g0 mov.f32 s1, ninf; setp.lt.s32 g0, %0, -8; @g0 mov.f32 s2, ninf; setp.lt.s32 g0, %0, -7;
        @g0 mov.f32 s3, ninf; setp.lt.s32 g0, %0, 8; @g0 mov.f32 s4, ninf; setp.lt.s32 g0, %0, 9; @g0 mov.f32 s5, ninf; setp.lt.s32 g0, %0, 0; @g0 mov.f32 s6, ninf;
        setp.lt.s32 g0, %0, 1; @g0 mov.f32 s7, ninf; setp.lt.s32 g0, %0, 16; @g0 mov.f32 s8, ninf; setp.lt.s32 g0, %0, 17; @g0 mov.f32 s9, ninf; setp.lt.s32 g0, %0, 8;
        @g0 mov.f32 s10, ninf; setp.lt.s32 g0, %0, 9; @g0 mov.f32 s11, ninf; setp.lt.s32 g0, %0, 24; @g0 mov.f32 s12, ninf; setp.lt.s32 g0, %0, 25; @g0 mov.f32 s13, ninf;
        setp.lt.s32 g0, %0, 16; @g0 mov.f32 s14, ninf; setp.lt.s32 g0, %0, 17; @g0 mov.f32 s15, ninf;
        """;

    /// <summary>−∞ where the window has left the key behind: %0 = query − window − first key of the lane.</summary>
    public const string Behind32 = """
        setp.ge.s32 g0, %0, 0; @g0 mov.f32 s0, ninf; setp.ge.s32 g0, %0, 1; @g0 mov.f32 s1, ninf; setp.ge.s32 g0, %0, -8; @g0 mov.f32 s2, ninf; setp.ge.s32 g0, %0, -7;
        @g0 mov.f32 s3, ninf; setp.ge.s32 g0, %0, 8; @g0 mov.f32 s4, ninf; setp.ge.s32 g0, %0, 9; @g0 mov.f32 s5, ninf; setp.ge.s32 g0, %0, 0; @g0 mov.f32 s6, ninf;
        setp.ge.s32 g0, %0, 1; @g0 mov.f32 s7, ninf; setp.ge.s32 g0, %0, 16; @g0 mov.f32 s8, ninf; setp.ge.s32 g0, %0, 17; @g0 mov.f32 s9, ninf; setp.ge.s32 g0, %0, 8;
        @g0 mov.f32 s10, ninf; setp.ge.s32 g0, %0, 9; @g0 mov.f32 s11, ninf; setp.ge.s32 g0, %0, 24; @g0 mov.f32 s12, ninf; setp.ge.s32 g0, %0, 25; @g0 mov.f32 s13, ninf;
        setp.ge.s32 g0, %0, 16; @g0 mov.f32 s14, ninf; setp.ge.s32 g0, %0, 17; @g0 mov.f32 s15, ninf;
        """;

    /// <summary>s to cap·tanh(s) for s in units of 1 / (2·log2 e): cap − 2·cap / (1 + exp2(s)); %0 = cap·log2 e, x0 = −2·%0.</summary>
    public const string Cap16 = """
        mul.f32 x0, %0, 0fC0000000; ex2.approx.ftz.f32 s0, s0; add.f32 s0, s0, 0f3F800000; rcp.approx.ftz.f32 s0, s0; fma.rn.f32 s0, s0, x0, %0; ex2.approx.ftz.f32 s1, s1;
        add.f32 s1, s1, 0f3F800000; rcp.approx.ftz.f32 s1, s1; fma.rn.f32 s1, s1, x0, %0; ex2.approx.ftz.f32 s2, s2; add.f32 s2, s2, 0f3F800000; rcp.approx.ftz.f32 s2, s2;
        fma.rn.f32 s2, s2, x0, %0; ex2.approx.ftz.f32 s3, s3; add.f32 s3, s3, 0f3F800000; rcp.approx.ftz.f32 s3, s3; fma.rn.f32 s3, s3, x0, %0; ex2.approx.ftz.f32 s4, s4;
        add.f32 s4, s4, 0f3F800000; rcp.approx.ftz.f32 s4, s4; fma.rn.f32 s4, s4, x0, %0; ex2.approx.ftz.f32 s5, s5; add.f32 s5, s5, 0f3F800000; rcp.approx.ftz.f32 s5, s5;
        fma.rn.f32 s5, s5, x0, %0; ex2.approx.ftz.f32 s6, s6; add.f32 s6, s6, 0f3F800000; rcp.approx.ftz.f32 s6, s6; fma.rn.f32 s6, s6, x0, %0; ex2.approx.ftz.f32 s7, s7;
        add.f32 s7, s7, 0f3F800000; rcp.approx.ftz.f32 s7, s7; fma.rn.f32 s7, s7, x0, %0;
        """;

    /// <summary>−∞ where the key comes after the query: %0 = query − first key of the lane, for row lane / 4.</summary>
    public const string Ahead16 = """
        setp.lt.s32 g0, %0, 0; @g0 mov.f32 s0, ninf; setp.lt.s32 g0, %0, 1; @g0 mov.f32 s1, ninf; setp.lt.s32 g0, %0, -8; @g0 mov.f32 s2, ninf; setp.lt.s32 g0, %0, -7;
        @g0 mov.f32 s3, ninf; setp.lt.s32 g0, %0, 8; @g0 mov.f32 s4, ninf; setp.lt.s32 g0, %0, 9; @g0 mov.f32 s5, ninf; setp.lt.s32 g0, %0, 0; @g0 mov.f32 s6, ninf;
        setp.lt.s32 g0, %0, 1; @g0 mov.f32 s7, ninf;
        """;

    /// <summary>−∞ where the window has left the key behind: %0 = query − window − first key of the lane.</summary>
    public const string Behind16 = """
        setp.ge.s32 g0, %0, 0; @g0 mov.f32 s0, ninf; setp.ge.s32 g0, %0, 1; @g0 mov.f32 s1, ninf; setp.ge.s32 g0, %0, -8; @g0 mov.f32 s2, ninf; setp.ge.s32 g0, %0, -7;
        @g0 mov.f32 s3, ninf; setp.ge.s32 g0, %0, 8; @g0 mov.f32 s4, ninf; setp.ge.s32 g0, %0, 9; @g0 mov.f32 s5, ninf; setp.ge.s32 g0, %0, 0; @g0 mov.f32 s6, ninf;
        setp.ge.s32 g0, %0, 1; @g0 mov.f32 s7, ninf;
        """;
}
