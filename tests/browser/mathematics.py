"""A page of mathematics that no notebook needs yet: slides and pages must be able to set it."""

MATHEMATICS = r"""
# 98 · Is all of mathematics there?

$\mathbb{R}^n, \mathcal{L}, \mathfrak{g}, \mathscr{F}, \boldsymbol{w}, \mathbf{x}, \mathsf{T}$,
$\mathtt{t}, \operatorname*{argmin}_\theta \lVert y - \hat{y} \rVert_2^2$,
$\bigl(\tfrac{1}{n}\bigr)$, $\sqrt[3]{x}$, $a × b … ≤ ∈ α$,
$\cancel{x} \to \leftrightarrow \mapsto \approx \propto \odot \otimes \nabla \partial \ell \infty$

$$\begin{aligned} a &= \overbrace{b + c}^{\text{two words}} \\ d &= \underbrace{e}_{f} \end{aligned}
\qquad \begin{pmatrix} 1 & \cdots \\ \vdots & \ddots \end{pmatrix} \qquad
f(x) = \begin{cases} 0 & x < 0 \\ x & \text{else} \end{cases} \qquad
\Biggl[ \sum_{i=1}^n \int_0^1 \prod_j \Biggr]$$
"""
