import com.martiansoftware.nailgun.NGContext;

/** The tiny command on Nailgun. */
public final class Tiny {
    private Tiny() {}

    public static void nailMain(NGContext context) {
        context.out.println("hello");
    }
}
